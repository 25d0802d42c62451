import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal, Secret, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { ClientError, genericGrantRequest, getDPoPHandle, refreshTokenGrant, ResponseBodyError, tokenRevocation, type Configuration, type DPoPOptions, type TokenEndpointResponse } from 'openid-client';
import { resourceToAsk, scopesToAsk } from './asked-for.js';
import { clientConfiguration, type ConfigurationParts } from './client-configuration.js';
import { findClient, proveClient, type UpstreamClient } from './client-rows.js';
import { scopeNames } from './challenge.js';
import type { FoundServer } from './found-server.js';
import { DiscoveryFailed } from './hops.js';
import { keptProofPair, newProofPair, wantsProofs, type ProofPair } from './proof-pair.js';
import { refusalWithin } from './trouble-words.js';
import { ClientNeeded, type UpstreamClients } from './upstream-clients.js';
import type { UpstreamServers } from './upstream-servers.js';
import { TokenRefused, type GrantedTokens, type KeptRefresh, type TokenRequests, type UpstreamTokens } from './upstream-tokens.js';
import { isSameIssuer } from './well-known.js';

type Upstream = upstreamContracts.UpstreamServer;

/** Who asks a token endpoint. */
interface Asking {
  upstream: Upstream;
  client: UpstreamClient;
  found: FoundServer;
  /** Where tokens of before are traded in: the key that they are bound to, or that they are bound to none. */
  dpopKey?: Secret | null;
}

/** Sends a token request; the options go with it. */
type TokenRequest = (configuration: Configuration, proven: DPoPOptions) => Promise<TokenEndpointResponse>;

/** What `TokenEndpoint` works with. */
export interface TokenEndpointParts extends ConfigurationParts {
  db: Database;
  servers: UpstreamServers;
  clients: UpstreamClients;
  clock: Clock;
}

const REFRESH_MS = 5_000;
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
// What a header line can carry, and edges can lease.
const TOKEN = /^[\x21-\x7e]{1,32768}$/;

/** The token endpoints of upstreams' authorization servers, see `TokenRequests`. */
export class TokenEndpoint implements TokenRequests {
  constructor(private readonly parts: TokenEndpointParts) {}

  /** See `TokenRequests.refresh`. */
  async refresh(upstream: Upstream, clientRef: string, { refreshToken, dpopKey }: KeptRefresh, scopes: readonly string[] | null): Promise<UpstreamTokens> {
    const { client, found } = await this.bound(upstream, clientRef);
    const scope = upstream.oauth.refreshScope === true ? (scopes ?? []) : [];
    const parameters = this.parameters(upstream, found, scope);
    return this.ask({ upstream, client, found, dpopKey }, (configuration, proven) => refreshToken.use((bytes) => refreshTokenGrant(configuration, bytes.toString('utf8'), parameters, proven)), REFRESH_MS);
  }

  /** See `TokenRequests.clientCredentials`. */
  clientCredentials(upstream: Upstream): Promise<GrantedTokens> {
    return this.granted(upstream, (configuration, parameters, proven) => genericGrantRequest(configuration, 'client_credentials', parameters, proven));
  }

  /** See `TokenRequests.exchange`. */
  exchange(upstream: Upstream, { token, type }: { token: Secret; type: string }): Promise<GrantedTokens> {
    const { audience } = upstream.oauth;
    return this.granted(upstream, (configuration, parameters, proven) => {
      const subject = token.use((bytes) => ({ subject_token: bytes.toString('utf8'), subject_token_type: type }));
      return genericGrantRequest(configuration, EXCHANGE, { ...parameters, ...subject, ...(audience === undefined ? {} : { audience }) }, proven);
    });
  }

  /** See `TokenRequests.jwtBearer`. */
  jwtBearer(upstream: Upstream, assertion: Secret): Promise<GrantedTokens> {
    return this.granted(upstream, (configuration, parameters, proven) => genericGrantRequest(configuration, JWT_BEARER, { ...parameters, assertion: assertion.use((bytes) => bytes.toString('utf8')) }, proven));
  }

  /** See `TokenRequests.revoke`. */
  async revoke(clientRef: string, upstream: Upstream, token: Secret, hint: 'refresh_token' | 'access_token'): Promise<void> {
    const { client, found } = await this.bound(upstream, clientRef);
    if (found.metadata.revocation_endpoint === undefined) return;
    await told(async () => {
      const configuration = await clientConfiguration(this.parts, { upstream, client, found, longestMs: REFRESH_MS });
      await token.use((bytes) => tokenRevocation(configuration, bytes.toString('utf8'), { token_type_hint: hint }));
    });
  }

  /**
   * The library's answer as tokens; the client is known to work from then on. A proof goes with the
   * request where tokens are to be bound to a key, and the key with the tokens when they are.
   */
  async ask({ upstream, client, found, dpopKey }: Asking, request: TokenRequest, longestMs?: number): Promise<UpstreamTokens> {
    const pair = await pairFor(found, dpopKey);
    const answer = await told(async () => {
      const configuration = await clientConfiguration(this.parts, { upstream, client, found, ...(longestMs === undefined ? {} : { longestMs }) });
      return request(configuration, pair === undefined ? {} : { DPoP: getDPoPHandle(configuration, pair.pair) });
    });
    await proveClient(this.parts.db, client.id, this.parts.clock.now());
    return this.tokensOf(answer, pair);
  }

  /** What goes with every token request: the resource, the scopes unless they are implied, and what was set. */
  parameters(upstream: Upstream, found: FoundServer, scopes: readonly string[]): Record<string, string> {
    const resource = resourceToAsk(upstream, found);
    const { tokenParams = {} } = upstream.oauth;
    return { ...tokenParams, ...(resource === undefined ? {} : { resource }), ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }) };
  }

  private async granted(upstream: Upstream, request: (configuration: Configuration, parameters: Record<string, string>, proven: DPoPOptions) => Promise<TokenEndpointResponse>): Promise<GrantedTokens> {
    return told(async () => {
      const found = await this.parts.servers.of(upstream);
      const client = await this.parts.clients.current(upstream, found);
      const parameters = this.parameters(upstream, found, scopesToAsk(upstream.oauth, found));
      return { tokens: await this.ask({ upstream, client, found }, (configuration, proven) => request(configuration, parameters, proven)), clientRef: client.id };
    });
  }

  // A refresh token goes to the authorization server that gave it and to no other, whatever a server names today.
  private async bound(upstream: Upstream, clientRef: string): Promise<{ client: UpstreamClient; found: FoundServer }> {
    const client = await findClient(this.parts.db, clientRef);
    const isReplaced = client?.method === 'static' && client.clientId !== upstream.oauth.clientId;
    if (client === undefined || client.serverId !== upstream.id || isReplaced) throw new TokenRefused('invalid_client');
    const found = await told(() => this.parts.servers.known(upstream));
    if (!isSameIssuer(found.issuer, client.issuer)) throw new TokenRefused('authorization_server_changed');
    return { client, found };
  }

  private tokensOf({ access_token: access, refresh_token: refresh, expires_in: seconds, scope, token_type: type }: TokenEndpointResponse, pair: ProofPair | undefined): UpstreamTokens {
    // One that is bound to a key that nobody has here is of no use.
    if (!TOKEN.test(access) || (type === 'dpop' && pair === undefined)) throw new Refusal('upstream_invalid', { reason: 'token' });
    return {
      accessToken: Secret.fromText(access),
      dpopKey: type === 'dpop' ? pair!.kept : null,
      refreshToken: refresh === undefined ? null : Secret.fromText(refresh),
      expiresAt: seconds === undefined ? null : this.parts.clock.now() + seconds * 1_000,
      scopes: scope === undefined ? null : scopeNames(scope),
    };
  }
}

async function pairFor(found: FoundServer, kept: Secret | null | undefined): Promise<ProofPair | undefined> {
  if (kept === undefined) return wantsProofs(found) ? newProofPair() : undefined;
  return kept === null ? undefined : keptProofPair(kept);
}

/** Turns whatever a token request ends with into what `TokenRequests` promises. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw tokenProblem(error);
  }
}

/**
 * What a failed token request means. What the other side wrote stays here: errors of libraries hold
 * whole answers in their `cause`.
 */
export function tokenProblem(error: unknown): unknown {
  if (error instanceof TokenRefused) return error;
  if (error instanceof ResponseBodyError) return new TokenRefused(error.error);
  const refusal = refusalWithin(error);
  if (refusal !== undefined) return refusal;
  if (error instanceof DiscoveryFailed) return new Refusal('upstream_unreachable', { reason: 'discovery' });
  if (error instanceof ClientNeeded) return new Refusal('upstream_invalid', { reason: 'client' });
  return error instanceof ClientError ? new Refusal('upstream_invalid', { reason: 'token' }) : error;
}
