import { randomUUID } from 'node:crypto';
import { Refusal, Secret, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { importJWK, SignJWT, type JWTPayload } from 'jose';
import type { SigningKeys } from '../authorization-server/signing-keys.js';

/** What assertions are made with. */
export interface AssertionsParts {
  db: Database;
  /** Published at the issuer's JWKS, like the keys of access tokens: they are the same. */
  keys: Pick<SigningKeys, 'current'>;
  clock: Clock;
  /** Public origin of Gatehouse, the issuer. */
  origin: string;
}

/** What an ID-JAG is for. */
export interface IdJagWish {
  audience: string;
  clientId: string;
  resource: string | undefined;
  scopes: readonly string[];
}

const LIFE_S = 60;

/**
 * Signed words of Gatehouse about who a person is, for an authorization server that trusts it. None of
 * them is an access token to our edges: those take `at+jwt` for their own addresses only.
 */
export class Assertions {
  constructor(private readonly parts: AssertionsParts) {}

  /** A subject token (RFC 8693 section 2.1) for one audience. Refuses with `bad_request` a person who is disabled. */
  async subjectToken(personId: string, audience: string): Promise<Secret> {
    return this.sign(await this.claims(personId), { typ: 'JWT', audience });
  }

  /** An identity assertion (draft-ietf-oauth-identity-assertion-authz-grant section 4). Refuses as `subjectToken` does. */
  async idJag(personId: string, { audience, clientId, resource, scopes }: IdJagWish): Promise<Secret> {
    const scope = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
    const claims = { ...(await this.claims(personId)), ...scope, client_id: clientId, ...(resource === undefined ? {} : { resource }) };
    return this.sign(claims, { typ: 'oauth-id-jag+jwt', audience });
  }

  private async claims(personId: string): Promise<JWTPayload> {
    const [person] = await this.parts.db.query<{ email: string | null; name: string }>(`SELECT email, name FROM people WHERE id = $1 AND status = 'active' AND kind = 'person'`, [personId]);
    if (person === undefined) throw new Refusal('bad_request', { field: 'personId', problem: 'is disabled' });
    return { sub: personId, name: person.name, ...(person.email === null ? {} : { email: person.email }) };
  }

  private async sign(claims: JWTPayload, { typ, audience }: { typ: string; audience: string }): Promise<Secret> {
    const active = this.parts.keys.current?.active;
    if (active === undefined) throw new Refusal('service_unavailable');
    const nowS = Math.floor(this.parts.clock.now() / 1_000);
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: String(active.kid) }).setIssuer(this.parts.origin).setAudience(audience);
    return Secret.fromText(await jwt.setIssuedAt(nowS).setExpirationTime(nowS + LIFE_S).setJti(randomUUID()).sign(await importJWK(active as Parameters<typeof importJWK>[0], 'ES256')));
  }
}
