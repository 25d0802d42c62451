import { randomUUID } from 'node:crypto';
import { unsignedJwt } from './flawed-id-token.js';
import type { Claims, SigningKeys } from './signing-keys.js';

/** Ways in which a logout token is wrong (OpenID Connect Back-Channel Logout 1.0 section 2.6). */
export const LOGOUT_TOKEN_FLAWS = [
  'wrong-typ',
  'wrong-iss',
  'wrong-aud',
  'expired',
  'with-nonce',
  'no-events',
  'other-event',
  'no-sub-no-sid',
  'no-jti',
  'alg-none',
  'other-key',
] as const;

/** One thing wrong with a logout token. */
export type LogoutTokenFlaw = (typeof LOGOUT_TOKEN_FLAWS)[number];

/** Whom a logout token names. */
export interface LogoutSubject {
  sub?: string | undefined;
  sid?: string | undefined;
}

/** How the client answered a logout token. */
export interface LogoutAnswer {
  status: number;
  body: string;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LIFE_S = 120;
const TIMEOUT_MS = 10_000;

const WRONG_CLAIMS: { readonly [F in LogoutTokenFlaw]?: Claims } = {
  'wrong-iss': { iss: 'https://idp.evil.example' },
  'wrong-aud': { aud: 'another-client' },
  expired: { iat: 1_000_000_000, exp: 1_000_000_120 },
  'with-nonce': { nonce: 'n' },
  'no-events': { events: undefined },
  'other-event': { events: { 'http://schemas.openid.net/event/other': {} } },
  'no-sub-no-sid': { sub: undefined, sid: undefined },
  'no-jti': { jti: undefined },
};

/** Signs and sends logout tokens to the client. */
export class BackChannelLogout {
  constructor(
    private readonly issuer: string,
    private readonly keys: SigningKeys,
    private readonly clientId: () => string,
  ) {}

  /** A logout token, with one thing wrong when told. */
  token(subject: LogoutSubject, flaw?: LogoutTokenFlaw): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000);
    const claims = { iss: this.issuer, aud: this.clientId(), iat, exp: iat + LIFE_S, jti: randomUUID(), events: { [EVENT]: {} }, ...subject };
    const stated: Claims = { ...claims, ...(flaw && WRONG_CLAIMS[flaw]) };
    if (flaw === 'alg-none') return Promise.resolve(unsignedJwt({ alg: 'none', typ: 'logout+jwt' }, stated));
    return this.keys.sign(stated, { typ: flaw === 'wrong-typ' ? 'at+jwt' : 'logout+jwt', foreignKey: flaw === 'other-key' });
  }

  /** Posts a token as the provider does; the same one twice is a replay. */
  async post(token: string, uri: string): Promise<LogoutAnswer> {
    const body = new URLSearchParams({ logout_token: token });
    const answer = await fetch(uri, { method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: answer.status, body: await answer.text() };
  }
}
