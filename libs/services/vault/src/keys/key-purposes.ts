import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';

/** What a key of the vault is for; one active version each. */
export const KEY_PURPOSES = ['credential', 'entry', 'session', 'digest', 'policy-signing', 'directory-signing'] as const;

/** One of the purposes. */
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

const privateDer = (type: 'x25519' | 'ed25519'): Buffer => {
  // Two calls because the overloads of generateKeyPairSync take one literal each.
  const pair = type === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ed25519');
  return pair.privateKey.export({ format: 'der', type: 'pkcs8' });
};

const MAKERS: Record<KeyPurpose, () => Buffer> = {
  credential: () => randomBytes(32),
  entry: () => privateDer('x25519'),
  session: () => randomBytes(32),
  digest: () => randomBytes(32),
  'policy-signing': () => privateDer('ed25519'),
  'directory-signing': () => privateDer('ed25519'),
};

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
  return createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
}
