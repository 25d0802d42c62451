import { createPrivateKey, createPublicKey, randomUUID, sign, type KeyObject } from 'node:crypto';
import { Fault } from '@gatehouse/kernel';

/** What a proof says besides who makes it, when, and that it is a new one. */
export interface Proven {
  readonly htm: string;
  readonly htu: string;
  readonly ath: string;
  readonly nonce?: string;
}

/** The key that an access token is bound to (RFC 9449): P-256, read once for all proofs of a lease. */
export class ProofKey {
  readonly #key: KeyObject;
  readonly #head: string;

  /** `pkcs8` is DER in base64url. Throws a `Fault` for what is no such key. */
  constructor(pkcs8: string) {
    this.#key = readKey(pkcs8);
    const { kty, crv, x, y } = createPublicKey(this.#key).export({ format: 'jwk' });
    if (crv !== 'P-256') throw new Fault('the key of a bound token is of another curve');
    this.#head = `${coded({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })}.`;
  }

  /** A proof for one request (RFC 9449 section 4.2). */
  proof(proven: Proven, nowMs: number): string {
    const signed = this.#head + coded({ jti: randomUUID(), iat: Math.floor(nowMs / 1_000), ...proven });
    return `${signed}.${sign('sha256', Buffer.from(signed, 'latin1'), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

function readKey(pkcs8: string): KeyObject {
  const key = Buffer.from(pkcs8, 'base64url');
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    // The parser's words could hold pieces of the key.
    throw new Fault('the key of a bound token cannot be read');
  } finally {
    key.fill(0);
  }
}

function coded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
