import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/** An X25519 key pair that lives in this process only: what an instance is sealed to. */
export interface SealingKeyPair {
  /** Raw 32-byte public key, base64url. */
  publicKey: string;
  privateKey: KeyObject;
}

const VERSION = 1;
const RAW_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + RAW_KEY_BYTES + NONCE_BYTES;
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');

/** A new pair; the private half is never exported. */
export function newSealingKeyPair(): SealingKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: rawPublicKey(publicKey), privateKey };
}

/** The raw 32-byte public key of an X25519 key object, base64url. */
export function rawPublicKey(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_X25519.length).toString('base64url');
}

function importPublicKey(raw: Buffer): KeyObject {
  if (raw.length !== RAW_KEY_BYTES) throw new Error('an X25519 public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });
}

function boxKey(shared: Buffer, ephemeral: Buffer, recipient: Buffer): Buffer {
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(hkdfSync('sha256', shared, salt, 'gatehouse sealed box v1', RAW_KEY_BYTES));
}

/**
 * Seals `plaintext` so that only the holder of the recipient's private key can open it: ephemeral
 * X25519, HKDF-SHA256, AES-256-GCM (the shape of RFC 9180 base mode). `context` is authenticated:
 * a box opened under another context fails. Returns base64url.
 */
export function sealTo(recipientPublicKey: string, plaintext: Buffer, context: string): string {
  const recipient = Buffer.from(recipientPublicKey, 'base64url');
  const ephemeral = generateKeyPairSync('x25519');
  const ephemeralRaw = Buffer.from(rawPublicKey(ephemeral.publicKey), 'base64url');
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: importPublicKey(recipient) });
  const key = boxKey(shared, ephemeralRaw, recipient);
  const nonce = randomBytes(NONCE_BYTES);
  const header = Buffer.concat([Buffer.of(VERSION), ephemeralRaw, nonce]);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([header, Buffer.from(context)]));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  shared.fill(0);
  key.fill(0);
  return Buffer.concat([header, body]).toString('base64url');
}

/** Opens what `sealTo` sealed to this pair under the same `context`; throws on anything else. */
export function openSealed(pair: SealingKeyPair, sealed: string, context: string): Buffer {
  const box = Buffer.from(sealed, 'base64url');
  if (box.length < HEADER_BYTES + TAG_BYTES || box[0] !== VERSION) throw new Error('not a sealed box');
  const header = box.subarray(0, HEADER_BYTES);
  const ephemeral = header.subarray(1, 1 + RAW_KEY_BYTES);
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: importPublicKey(ephemeral) });
  const key = boxKey(shared, ephemeral, Buffer.from(pair.publicKey, 'base64url'));
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(1 + RAW_KEY_BYTES))
    .setAAD(Buffer.concat([header, Buffer.from(context)]))
    .setAuthTag(box.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } finally {
    shared.fill(0);
    key.fill(0);
  }
}
