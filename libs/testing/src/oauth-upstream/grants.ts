import { randomBytes } from 'node:crypto';
import type { OauthBehaviour } from './oauth-options.js';
import { OauthError } from './oauth-error.js';

/** What somebody agreed to, with all tokens that came of it. */
export interface Grant {
  user: string;
  clientId: string;
  scopes: readonly string[];
  resource: string | null;
  revoked: boolean;
  /** The refresh token that is good, and those used up with the time of their use. */
  refreshToken: string | null;
  /** Thumbprint of the key that its tokens are bound to; null for bearer tokens. */
  jkt: string | null;
  used: Map<string, number>;
}

/** An access token as the protected server sees it. */
export interface AccessToken {
  token: string;
  grant: Grant;
  scopes: readonly string[];
  expiresAt: number;
}

/** A code on its way from the authorize address to the token endpoint. */
export interface Code {
  grant: Grant;
  redirectUri: string;
  challenge: string | null;
}

const GRACE_MS = 30_000;

const secret = (kind: string): string => `${kind}_${randomBytes(24).toString('base64url')}`;

/** Codes, grants and tokens of one authorization server. */
export class Grants {
  private readonly codes = new Map<string, Code>();
  private readonly access = new Map<string, AccessToken>();
  private readonly all = new Set<Grant>();

  constructor(private readonly behaviour: OauthBehaviour) {}

  /** Every secret that was handed out, for those who look for leaks. */
  secrets(): string[] {
    return [...this.access.keys(), ...this.codes.keys(), ...[...this.all].flatMap(({ refreshToken, used }) => [...used.keys(), ...(refreshToken === null ? [] : [refreshToken])])];
  }

  begin(given: Pick<Grant, 'user' | 'clientId' | 'scopes' | 'resource'>): Grant {
    const grant = { ...given, revoked: false, refreshToken: null, jkt: null, used: new Map<string, number>() };
    this.all.add(grant);
    return grant;
  }

  code(given: Code): string {
    const code = secret('code');
    this.codes.set(code, given);
    return code;
  }

  /** The code's grant, once. */
  redeem(code: string): Code {
    const found = this.codes.get(code);
    this.codes.delete(code);
    if (found === undefined) throw new OauthError('invalid_grant', 'no such code');
    return found;
  }

  /** A new access token, and a refresh token where the grant has none. */
  issue(grant: Grant, scopes = grant.scopes): AccessToken {
    const issued = { token: secret('at'), grant, scopes, expiresAt: Date.now() + this.behaviour.accessTokenSeconds * 1_000 };
    this.access.set(issued.token, issued);
    if (this.behaviour.rotation !== 'no-refresh-token') grant.refreshToken ??= secret('rt');
    return issued;
  }

  /** The grant of a refresh token, which is used up when tokens rotate. */
  useRefreshToken(token: string, clientId: string): Grant {
    const grant = [...this.all].find(({ refreshToken, used }) => refreshToken === token || used.has(token));
    if (grant === undefined || grant.revoked || grant.clientId !== clientId) throw new OauthError('invalid_grant', 'no such refresh token');
    if (grant.refreshToken === token) this.rotate(grant, token);
    else this.reuse(grant, token);
    return grant;
  }

  /** The access token when it is good here and now. */
  valid(token: string): AccessToken | undefined {
    const found = this.access.get(token);
    return found === undefined || found.grant.revoked || found.expiresAt <= Date.now() ? undefined : found;
  }

  expireAccessTokens(): void {
    for (const token of this.access.values()) token.expiresAt = 0;
  }

  /** Ends what a user agreed to, or everything. */
  revoke(user?: string): void {
    for (const grant of this.all) grant.revoked ||= user === undefined || grant.user === user;
  }

  /** Ends the grant of a token (RFC 7009); unknown ones are as good as revoked. */
  revokeToken(token: string): void {
    const grant = this.access.get(token)?.grant ?? [...this.all].find(({ refreshToken }) => refreshToken === token);
    if (grant !== undefined) grant.revoked = true;
  }

  private rotate(grant: Grant, token: string): void {
    if (this.behaviour.rotation === 'none') return;
    grant.used.set(token, Date.now());
    grant.refreshToken = null;
  }

  private reuse(grant: Grant, token: string): void {
    const since = Date.now() - (grant.used.get(token) ?? 0);
    if (this.behaviour.rotation === 'grace' && since < GRACE_MS) return;
    // RFC 9700 section 4.14.2: one of the two who hold it is not the client.
    grant.revoked = true;
    throw new OauthError('invalid_grant', 'the refresh token was used before');
  }
}
