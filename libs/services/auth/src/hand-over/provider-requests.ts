import { Refusal, Secret } from '@gatehouse/kernel';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { genericGrantRequest, refreshTokenGrant, ResponseBodyError, type Configuration, type TokenEndpointResponse, type TokenEndpointResponseHelpers } from 'openid-client';
import type { SignInProvider } from '../sign-in/federation.js';
import { SignInRefusal } from '../sign-in/sign-in-refusal.js';
import { tokenProblem } from '../upstreams/token-endpoint.js';
import { refusalWithin } from '../upstreams/trouble-words.js';
import { TokenRefused } from '../upstreams/upstream-tokens.js';
import { SignInNeeded } from './sign-in-needed.js';
import type { SignInTokens } from './sign-in-tokens.js';

/** Gives Gatehouse as a provider's client, for one request at once. */
export interface ProviderClients {
  client(provider: SignInProvider): Promise<Configuration>;
}

/** What an identity assertion is asked for: where it is redeemed, and for what. */
export interface AssertionWish {
  audience: string;
  resource: string | undefined;
  scopes: readonly string[];
}

/** What stands for the person. */
export interface Subject {
  token: Secret;
  kind: 'id_token' | 'refresh_token';
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';
const ID_JAG = `${TYPE}id-jag`;
const ENDED = new Set(['invalid_grant', 'login_required', 'interaction_required', 'invalid_token']);

/** Asks identity providers for more than sign-ins. Rejects with `SignInNeeded`, with `TokenRefused`, and with a `Refusal` for what may pass. */
export class ProviderRequests {
  constructor(private readonly clients: ProviderClients) {}

  /** Renews the tokens of a sign-in (OpenID Connect Core section 12); the id_token is about the same person or none. */
  async renew(provider: SignInProvider, subject: string, { refreshToken, ...before }: SignInTokens & { refreshToken: Secret }): Promise<SignInTokens> {
    const answer = await this.told(async () => refreshTokenGrant(await this.clients.client(provider), refreshToken.use((bytes) => bytes.toString('utf8'))));
    const claims = answer.claims();
    if (claims !== undefined && claims.sub !== subject) throw new Refusal('upstream_invalid', { reason: 'subject' });
    const idToken = answer.id_token === undefined ? before.idToken.use((bytes) => Secret.of(Buffer.from(bytes))) : Secret.fromText(answer.id_token);
    const idTokenUntil = claims === undefined ? before.idTokenUntil : claims.exp * 1_000;
    // Without a new one the old one stays good (RFC 6749 section 6).
    const kept = answer.refresh_token === undefined ? refreshToken.use((bytes) => Secret.of(Buffer.from(bytes))) : Secret.fromText(answer.refresh_token);
    return { idToken, idTokenUntil, refreshToken: kept };
  }

  /** An ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant section 4.3): the provider's word about the person to one authorization server. */
  async idJag(provider: SignInProvider, { token, kind }: Subject, { audience, resource, scopes }: AssertionWish): Promise<Secret> {
    const wish = { requested_token_type: ID_JAG, audience, ...(resource === undefined ? {} : { resource }), ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }) };
    const answer = await this.told(async () => {
      const client = await this.clients.client(provider);
      const subject = token.use((bytes) => ({ subject_token: bytes.toString('utf8'), subject_token_type: `${TYPE}${kind}` }));
      return genericGrantRequest(client, EXCHANGE, { ...wish, ...subject });
    });
    return assertionOf(answer, audience);
  }

  private async told(work: () => Promise<TokenEndpointResponse & TokenEndpointResponseHelpers>): Promise<TokenEndpointResponse & TokenEndpointResponseHelpers> {
    try {
      return await work();
    } catch (error) {
      throw problemOf(error);
    }
  }
}

// An access token for the provider's own APIs, got by mistake, would be handed to a stranger.
function assertionOf({ access_token: assertion, issued_token_type: type }: TokenEndpointResponse, audience: string): Secret {
  if (type !== ID_JAG || !isFor(assertion, audience)) throw new Refusal('upstream_invalid', { reason: 'token' });
  return Secret.fromText(assertion);
}

function isFor(assertion: string, audience: string): boolean {
  try {
    return decodeProtectedHeader(assertion).typ === 'oauth-id-jag+jwt' && [decodeJwt(assertion).aud].flat().includes(audience);
  } catch {
    // Not a JWT at all: as good as one for somebody else.
    return false;
  }
}

function problemOf(error: unknown): unknown {
  // What the sign-in would tell a browser: here only whether the provider was there.
  if (error instanceof SignInRefusal) return refusalWithin(error) ?? new Refusal('upstream_invalid', { reason: 'discovery' });
  if (!(error instanceof ResponseBodyError)) return tokenProblem(error);
  const { status } = error;
  if (status >= 500 || status === 429) return new Refusal('upstream_unreachable', { reason: 'status', status });
  return ENDED.has(error.error) ? new SignInNeeded() : new TokenRefused(error.error);
}
