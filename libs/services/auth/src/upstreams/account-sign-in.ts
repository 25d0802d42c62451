import type { upstreamContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { authorizationCodeGrant, buildAuthorizationUrl, buildAuthorizationUrlWithPAR, calculatePKCECodeChallenge, type Configuration } from 'openid-client';
import { digestOf, newBearer } from '../sign-in/bearer.js';
import type { LoginSession } from '../sign-in/login-sessions.js';
import { hasPkce, resourceToAsk, scopesToAsk } from './asked-for.js';
import { clientConfiguration, type ConfigurationParts } from './client-configuration.js';
import { findClient, refuseClient, type UpstreamClient } from './client-rows.js';
import type { ConnectedAccounts } from './connected-accounts.js';
import { ConnectRefusal } from './connect-refusal.js';
import { beginAttempt, takeAttempt, wasUnanswered, type Connection, type TakenAttempt } from './connection-rows.js';
import type { FoundServer } from './found-server.js';
import { isDocumentRefusal, signInProblem } from './sign-in-problem.js';
import type { TokenEndpoint } from './token-endpoint.js';
import type { UpstreamClients } from './upstream-clients.js';
import type { UpstreamServers } from './upstream-servers.js';
import type { UpstreamTokens } from './upstream-tokens.js';
import { isSameIssuer } from './well-known.js';

type Upstream = upstreamContracts.UpstreamServer;
type Session = Pick<LoginSession, 'idHash' | 'personId'>;

/** What `AccountSignIn` works with. */
export interface AccountSignInParts extends ConfigurationParts {
  db: Database;
  servers: UpstreamServers;
  clients: UpstreamClients;
  tokens: TokenEndpoint;
  accounts: Pick<ConnectedAccounts, 'scopesToAsk'>;
  clock: Clock;
}

/** An answer of an authorization server, as a browser brought it. */
export interface CallbackAnswer {
  query: URLSearchParams;
  /** The address it came to, without query. */
  address: string;
  session: Session;
}

/** What an answer came to: tokens, or another round with a client that registered itself. */
export type CallbackOutcome = { tokens: UpstreamTokens; clientRef: string } | { again: URL };

/** Where a round goes. */
interface Round {
  upstream: Upstream;
  found: FoundServer;
  client: UpstreamClient;
  scopes: string[];
}

/** Sends people to upstreams' authorization servers and takes what they bring back (RFC 6749 section 4.1, RFC 7636, RFC 8707, RFC 9207, RFC 9126). */
export class AccountSignIn {
  constructor(private readonly parts: AccountSignInParts) {}

  /** Where the browser of this session is sent. Refuses with a `ConnectRefusal`. */
  async begin(upstream: Upstream, connection: Connection, session: Session): Promise<URL> {
    return translated(async () => this.send(await this.round(upstream, connection), connection, session));
  }

  /** The host that people would be sent to. Refuses with a `ConnectRefusal`. */
  async destination(upstream: Upstream): Promise<URL> {
    const found = await translated(() => this.server(upstream));
    return new URL(found.metadata.authorization_endpoint!);
  }

  /** The connection that an answer belongs to; the attempt is used up. Refuses with `foreign_answer`. */
  async take({ query, address, session }: CallbackAnswer): Promise<TakenAttempt> {
    const [state] = query.getAll('state');
    if (state === undefined || query.getAll('state').length !== 1) throw new ConnectRefusal('foreign_answer');
    const wanted = { stateHash: digestOf(state), sessionHash: session.idHash, redirectUri: address };
    const taken = await takeAttempt(this.parts.db, wanted, this.parts.clock.now());
    if (taken === undefined || taken.personId !== session.personId) throw new ConnectRefusal('foreign_answer');
    return taken;
  }

  /** Redeems the code of an answer that was taken. Refuses with a `ConnectRefusal`. */
  async finish(upstream: Upstream, attempt: TakenAttempt, answer: CallbackAnswer): Promise<CallbackOutcome> {
    const client = await findClient(this.parts.db, attempt.clientRef);
    const found = await translated(() => this.parts.servers.known(upstream));
    // The code goes to the authorization server that the person was sent to, or nowhere (RFC 9700 section 4.4).
    if (client === undefined || !isSameIssuer(client.issuer, found.issuer)) throw new ConnectRefusal('foreign_answer');
    const round = { upstream, found, client, scopes: attempt.scopes };
    try {
      return { tokens: await this.redeem(round, attempt, answer), clientRef: client.id };
    } catch (error) {
      if (client.method !== 'document' || !isDocumentRefusal(error) || !this.parts.clients.mayRegister(upstream, found)) throw signInProblem(error);
      await refuseClient(this.parts.db, client.id, this.parts.clock.now());
      return { again: await this.begin(upstream, attempt, answer.session) };
    }
  }

  private async round(upstream: Upstream, { identityId }: Connection): Promise<Round> {
    const found = await this.server(upstream);
    const more = identityId === null ? [] : await this.parts.accounts.scopesToAsk(identityId);
    const scopes = scopesToAsk(upstream.oauth, found, more);
    const client = await this.parts.clients.current(upstream, found, { scopes: more, avoidDocument: false });
    if (client.method !== 'document' || client.provenAt !== null || !(await wasUnanswered(this.parts.db, client.id))) return { upstream, found, client, scopes };
    return { upstream, found, client: await this.parts.clients.current(upstream, found, { scopes: more, avoidDocument: true }), scopes };
  }

  private async server(upstream: Upstream): Promise<FoundServer> {
    const found = await this.parts.servers.of(upstream);
    if (!hasPkce(upstream.oauth, found)) throw new ConnectRefusal('no_pkce');
    return found;
  }

  private async send(round: Round, connection: Connection, session: Session): Promise<URL> {
    const [state, verifier] = [newBearer(), newBearer()];
    const { client, scopes } = round;
    const url = await this.authorizationUrl(round, { state, code_challenge: await calculatePKCECodeChallenge(verifier) });
    const attempt = { clientRef: client.id, redirectUri: client.redirectUri, stateHash: digestOf(state), sessionHash: session.idHash, verifier, scopes };
    if (!(await beginAttempt(this.parts.db, connection.id, attempt, this.parts.clock.now()))) throw new ConnectRefusal('over');
    return url;
  }

  private async authorizationUrl(round: Round, own: { state: string; code_challenge: string }): Promise<URL> {
    const { upstream, found, client, scopes } = round;
    const { authorizeParams = {}, scopeParam = 'scope' } = upstream.oauth;
    const resource = resourceToAsk(upstream, found);
    const parameters = {
      ...(scopes.length === 0 ? {} : { [scopeParam]: scopes.join(' ') }),
      ...authorizeParams,
      ...(resource === undefined ? {} : { resource }),
      ...own,
      code_challenge_method: 'S256',
      redirect_uri: client.redirectUri,
      response_type: 'code',
      client_id: client.clientId,
    };
    const configuration = await this.configuration(round);
    const { require_pushed_authorization_requests: isPushed, pushed_authorization_request_endpoint: endpoint } = found.metadata;
    return isPushed === true && endpoint !== undefined ? buildAuthorizationUrlWithPAR(configuration, parameters) : buildAuthorizationUrl(configuration, parameters);
  }

  private configuration({ upstream, found, client }: Round): Promise<Configuration> {
    return clientConfiguration(this.parts, { upstream, found, client });
  }

  private async redeem(round: Round, { verifier }: TakenAttempt, { query, address }: CallbackAnswer): Promise<UpstreamTokens> {
    const { upstream, found } = round;
    const answer = new URL(address);
    answer.search = withoutUncheckable(query, found).toString();
    const parameters = this.parts.tokens.parameters(upstream, found, []);
    const checks = { expectedState: query.get('state') ?? '', pkceCodeVerifier: verifier };
    const tokens = await this.parts.tokens.ask(round, (configuration, proven) => authorizationCodeGrant(configuration, answer, checks, parameters, proven));
    // RFC 6749 section 5.1: nothing said means what was asked.
    return tokens.scopes === null && round.scopes.length > 0 ? { ...tokens, scopes: round.scopes } : tokens;
  }
}

// Where nobody told the issuer's name there is nothing to compare the answer's with.
function withoutUncheckable(query: URLSearchParams, { how }: FoundServer): URLSearchParams {
  const kept = new URLSearchParams(query);
  if (how === 'settings') kept.delete('iss');
  return kept;
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signInProblem(error);
  }
}
