import { randomUUID } from 'node:crypto';
import type { People } from './people.js';
import type { Claims, Signing, SigningKeys } from './signing-keys.js';

/** What an identity assertion is for; any claim can be given a wrong value, undefined leaves it out. */
export interface IdJagWish extends Claims {
  sub: string;
  /** The issuer that redeems it. */
  aud: string;
  client_id: string;
  resource?: string | undefined;
  scope?: string | undefined;
}

/** What an access token of an API is for; any claim can be given a wrong value, undefined leaves it out. */
export interface AccessTokenWish extends Claims {
  sub: string;
  aud: string | string[];
  scope?: string | undefined;
  client_id?: string | undefined;
}

const LIFE_S = 300;

/** Signs what a company's provider hands out besides sign-ins. */
export class TokenMint {
  constructor(
    private readonly issuer: string,
    private readonly keys: SigningKeys,
    private readonly people: People,
  ) {}

  /** An ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant): `typ: oauth-id-jag+jwt`, five minutes. */
  idJag(wish: IdJagWish, signing: Signing = {}): Promise<string> {
    const email = this.people.active(wish.sub)?.email ?? undefined;
    return this.keys.sign({ ...this.claims(), email, ...wish }, { typ: 'oauth-id-jag+jwt', ...signing });
  }

  /** A JWT access token (RFC 9068): `typ: at+jwt`, five minutes. */
  accessToken(wish: AccessTokenWish, signing: Signing = {}): Promise<string> {
    return this.keys.sign({ ...this.claims(), client_id: 'a-client-of-the-company', ...wish }, { typ: 'at+jwt', ...signing });
  }

  private claims(): Claims {
    const now = Math.floor(Date.now() / 1_000);
    return { iss: this.issuer, iat: now, exp: now + LIFE_S, jti: randomUUID() };
  }
}
