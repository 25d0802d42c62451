import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Refusal, type JsonObject } from '@gatehouse/kernel';

/** A public key as we keep it: what verifying needs, and its name. */
export interface ClientJwk {
  kty: string;
  use: 'sig';
  kid?: string;
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
}

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4: with any of these a key is no public one. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const RSA_BITS = { least: 2_048, most: 8_192 };
const LEAST_EXPONENT = 65_537n;
const KID_CHARS = 256;

/**
 * The keys by which a client signs (RFC 7523), brought into one form: P-256, Ed25519, or RSA of 2048
 * to 8192 bits. Refuses with `bad_request` what is no such key, and a private one: a secret that was
 * sent here must not be kept.
 */
export function publicJwks({ keys }: { keys: readonly JsonObject[] }): { keys: ClientJwk[] } {
  const kept = keys.map(publicJwk);
  const names = kept.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
  if (new Set(names).size < names.length) throw refusal('has two keys of one kid');
  return { keys: kept };
}

function publicJwk(jwk: JsonObject): ClientJwk {
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) throw refusal('has a private key; make a new one and send its public half');
  const { kid, use = 'sig' } = jwk;
  if (use !== 'sig') throw refusal('has a key that is not for signatures');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > KID_CHARS)) throw refusal('has a kid that is no short text');
  const key = parsed(jwk);
  if (!isStrong(key)) throw refusal('has a key that is not P-256, Ed25519, or RSA of 2048 to 8192 bits');
  return { ...(key.export({ format: 'jwk' }) as Omit<ClientJwk, 'use'>), use: 'sig', ...(kid === undefined ? {} : { kid }) };
}

function parsed(jwk: JsonObject): KeyObject {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    // What the library says of a key is of no use to who sent it.
    throw refusal('has a key that cannot be read');
  }
}

function isStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): boolean {
  if (type === 'ed25519') return true;
  if (type === 'ec') return details.namedCurve === 'prime256v1';
  const { modulusLength = 0, publicExponent = 0n } = details;
  return type === 'rsa' && modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most && publicExponent >= LEAST_EXPONENT;
}

function refusal(problem: string): Refusal {
  return new Refusal('bad_request', { field: 'auth.jwks', problem });
}
