import type { upstreamContracts } from '@gatehouse/contracts';
import type { Secret } from '@gatehouse/kernel';

/** What a token endpoint gave. */
export interface UpstreamTokens {
  accessToken: Secret;
  /** The private key that the access token is bound to (RFC 9449), PKCS #8 DER in base64url; null for a bearer token. */
  dpopKey: Secret | null;
  /** Null when none came: a refresh then goes on with the one it used. */
  refreshToken: Secret | null;
  /** When the access token ends (ms); null when the answer did not say. */
  expiresAt: number | null;
  /** What was granted; null when the answer did not say, which means what was asked. */
  scopes: string[] | null;
}

/** What a refresh is asked for with. */
export interface KeptRefresh {
  refreshToken: Secret;
  /** The key of before: a public client's refresh token is bound to it as well (RFC 9449 section 5). */
  dpopKey: Secret | null;
}

/** Tokens, and the client they belong to: no other may refresh them. */
export interface GrantedTokens {
  tokens: UpstreamTokens;
  clientRef: string;
}

/**
 * A permanent-looking answer of a token endpoint. `error` is a code of RFC 6749 section 5.2 after the
 * server's error map, or `authorization_server_changed`: the client is bound to another one than the
 * server names now, and nothing was sent.
 */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';

  constructor(readonly error: string) {
    super(`the token endpoint refused: ${error}`);
  }
}

/**
 * Asks the token endpoints of upstreams' authorization servers. Every method rejects with
 * `TokenRefused` for an answer that says no, and with a `Refusal` for what may pass (not reachable,
 * 5xx, 429, no JSON at all) or what is wrong with an address (`url_refused`).
 */
export interface TokenRequests {
  /** RFC 6749 section 6, within five seconds. Null scopes: those granted before. */
  refresh(upstream: upstreamContracts.UpstreamServer, clientRef: string, kept: KeptRefresh, scopes: readonly string[] | null): Promise<UpstreamTokens>;
  /** RFC 6749 section 4.4. */
  clientCredentials(upstream: upstreamContracts.UpstreamServer): Promise<GrantedTokens>;
  /** RFC 8693. */
  exchange(upstream: upstreamContracts.UpstreamServer, subject: { token: Secret; type: string }): Promise<GrantedTokens>;
  /** RFC 7523 section 2.1: an ID-JAG. */
  jwtBearer(upstream: upstreamContracts.UpstreamServer, assertion: Secret): Promise<GrantedTokens>;
  /** RFC 7009; resolves at once where the authorization server has no such endpoint. */
  revoke(clientRef: string, upstream: upstreamContracts.UpstreamServer, token: Secret, hint: 'refresh_token' | 'access_token'): Promise<void>;
}
