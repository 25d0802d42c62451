import { vaultContracts } from '@gatehouse/contracts';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

/** What a key of the vault is for; one active version each. */
export const KEY_PURPOSES = [
  'credential',
  'entry',
  'session',
  'digest',
  'policy-signing',
  'directory-signing',
  'call-signing',
  'token-signing',
  'auth-secret',
] as const;

/** One of the purposes. */
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** Purposes with one more version made ahead: who verifies or opens must know a key before anything is signed or sealed with it. */
export const PURPOSES_WITH_NEXT = ['token-signing', 'session', 'call-signing'] as const satisfies readonly KeyPurpose[];

const privateDer = ({ privateKey }: { privateKey: KeyObject }): Buffer => privateKey.export({ format: 'der', type: 'pkcs8' });

const MAKERS: Record<KeyPurpose, () => Buffer> = {
  credential: () => randomBytes(32),
  entry: () => privateDer(generateKeyPairSync('x25519')),
  session: () => randomBytes(32),
  digest: () => randomBytes(32),
  'policy-signing': () => privateDer(generateKeyPairSync('ed25519')),
  'directory-signing': () => privateDer(generateKeyPairSync('ed25519')),
  'call-signing': () => privateDer(generateKeyPairSync('ed25519')),
  'token-signing': () => privateDer(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  'auth-secret': () => randomBytes(32),
};

/** Purposes whose retired keys nothing needs after a day: a box to the entry key, a token and a statement about a call live for minutes, or two hours. */
export const PURPOSES_THAT_END = ['entry', 'token-signing', 'call-signing'] as const satisfies readonly KeyPurpose[];

/** Fresh key bytes: 32 random bytes, or a private key as PKCS #8 DER. The caller wipes them. */
export function newKeyBytes(purpose: KeyPurpose): Buffer {
  return MAKERS[purpose]();
}

/**
 * The public half (SPKI DER) of a private key in PKCS #8 DER. Always derived, never stored: a
 * public key in a column could be exchanged by whoever writes to the database, and edges would
 * then trust forged snapshots.
 */
export function publicKeyOf(pkcs8: Buffer): Buffer {
  return publicHalf(pkcs8).export({ format: 'der', type: 'spki' });
}

/** The public half of an ES256 key as a JWK; derived each time for the same reason. */
export function publicJwkOf(pkcs8: Buffer): vaultContracts.TokenSigningKey['publicJwk'] {
  return vaultContracts.tokenPublicJwk.parse(publicHalf(pkcs8).export({ format: 'jwk' }));
}

function publicHalf(pkcs8: Buffer): KeyObject {
  return createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
}
