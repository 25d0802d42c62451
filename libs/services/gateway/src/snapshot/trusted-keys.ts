import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { directoryContracts } from '@gatehouse/contracts';

/** A key that tokens of one issuer verify with. */
export interface TrustedKey {
  readonly id: string;
  /** Tells this key from another one under the same id. */
  readonly fingerprint: string;
  /** The algorithms this key is used with; the token only chooses among them (RFC 8725 section 3.1). */
  readonly algs: readonly string[];
  readonly key: KeyObject;
}

/** Whose tokens are believed, and what of them. */
export interface Trust {
  /** Name of an issuer of the company's; null for ourselves. */
  readonly name: string | null;
  /** Accepted in `aud` besides the resource itself. */
  readonly audience: string | null;
  readonly keys: ReadonlyMap<string, TrustedKey>;
  /** The account behind a subject, by id; null where the subject is the id. */
  readonly logins: ReadonlyMap<string, string> | null;
  /** Where a person's values stand in the issuer's tokens. */
  readonly claims: directoryContracts.Directory['issuers'][number]['claims'] | null;
}

type NamedKey = directoryContracts.Directory['keys'][number];
type Issuer = directoryContracts.Directory['issuers'][number];

/** What we trust of ourselves: ES256 only. */
export function ownTrust(keys: readonly NamedKey[]): Trust {
  const usable = trustedKeys(keys).filter(({ algs }) => algs.includes('ES256'));
  return { name: null, audience: null, keys: byId(usable), logins: null, claims: null };
}

/** What we trust of an issuer of the company's. */
export function issuerTrust({ name, audience, keys, logins, claims }: Issuer): Trust {
  return { name, audience, keys: byId(trustedKeys(keys)), claims, logins: new Map(logins.map(({ subject, callerId }) => [subject, callerId])) };
}

function byId(keys: readonly TrustedKey[]): ReadonlyMap<string, TrustedKey> {
  return new Map(keys.map((key) => [key.id, key]));
}

// One key that is none must not keep the directory from being applied: that would stop every revocation.
function trustedKeys(named: readonly NamedKey[]): TrustedKey[] {
  return named.flatMap(({ id, jwk }) => {
    const [algs, key] = [algsOf(jwk), imported(jwk)];
    return key === undefined || algs.length === 0 ? [] : [{ id, fingerprint: JSON.stringify(jwk), algs, key }];
  });
}

// Never a symmetric one: a public key must not become the secret of an HMAC.
function algsOf(jwk: directoryContracts.VerificationJwk): readonly string[] {
  if (jwk.kty === 'RSA') return ['RS256', 'PS256'];
  if (jwk.kty === 'OKP') return ['EdDSA'];
  return jwk.crv === 'P-256' ? ['ES256'] : [];
}

function imported(jwk: directoryContracts.VerificationJwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    // A point that is on no curve: nothing verifies with it.
    return undefined;
  }
}
