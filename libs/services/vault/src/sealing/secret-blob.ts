import { createSecretKey, hkdfSync, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import { secretAssociatedData, type SecretContext } from './associated-data.js';
import { gcmOpen, gcmSeal, NONCE_BYTES, TAG_BYTES } from './gcm.js';

/** A 32-byte key that wraps the keys of secrets, and its number in the blob header. */
export interface VersionedKey {
  version: number;
  key: KeyObject;
}

/** The random parts of one blob; handed in only by the fixed test vectors. */
export interface BlobRandomness {
  dataKey: Buffer;
  wrapNonce: Buffer;
  nonce: Buffer;
}

const FORMAT = 'GHV1';
const ALG_AES_256_GCM = 1;
const DATA_KEY_BYTES = 32;
const HEADER_BYTES = FORMAT.length + 1 + 4 + 4;
const WRAPPED_BYTES = DATA_KEY_BYTES + TAG_BYTES;
const COMMIT_BYTES = 32;
const WRAP_NONCE_AT = HEADER_BYTES;
const WRAPPED_AT = WRAP_NONCE_AT + NONCE_BYTES;
const NONCE_AT = WRAPPED_AT + WRAPPED_BYTES;
const BODY_AT = NONCE_AT + NONCE_BYTES;
const SMALLEST = BODY_AT + TAG_BYTES + COMMIT_BYTES;

/** Why a blob did not open is not told: every altered, moved or replayed blob looks the same. */
export class BlobRefused extends Error {
  override readonly name = 'BlobRefused';

  constructor() {
    super('a sealed secret did not open');
  }
}

function header(keyVersion: number, secretVersion: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  let at = bytes.write(FORMAT, 'latin1');
  at = bytes.writeUInt8(ALG_AES_256_GCM, at);
  at = bytes.writeUInt32BE(keyVersion, at);
  bytes.writeUInt32BE(secretVersion, at);
  return bytes;
}

/** GCM does not commit to its key: without this, one blob could open to two texts under two keys. */
function commitment(dataKey: Buffer, head: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, head, 'commit', COMMIT_BYTES));
}

function freshRandomness(): BlobRandomness {
  return { dataKey: randomBytes(DATA_KEY_BYTES), wrapNonce: randomBytes(NONCE_BYTES), nonce: randomBytes(NONCE_BYTES) };
}

/**
 * Seals one secret: `GHV1 | alg 1 | keyVersion 4 | secretVersion 4 | wrapNonce 12 | wrapped key 48 |
 * nonce 12 | ciphertext | tag 16 | commitment 32`. The data key is new for every blob, so no nonce
 * can repeat under one; it is wiped before returning.
 */
export function sealSecret(key: VersionedKey, context: SecretContext, plaintext: Buffer, random = freshRandomness()): Buffer {
  const { dataKey, wrapNonce, nonce } = random;
  const associated = secretAssociatedData(FORMAT, context, key.version);
  const head = header(key.version, context.secretVersion);
  const wrapped = gcmSeal(key.key, { nonce: wrapNonce, associated, body: dataKey });
  const body = gcmSeal(createSecretKey(dataKey), { nonce, associated, body: plaintext });
  const blob = Buffer.concat([head, wrapNonce, wrapped, nonce, body, commitment(dataKey, head)]);
  dataKey.fill(0);
  return blob;
}

/** The key version a blob names, so that the one right key is fetched: no trial decryption. Throws `BlobRefused`. */
export function keyVersionOf(blob: Buffer): number {
  if (blob.length < SMALLEST) throw new BlobRefused();
  return blob.readUInt32BE(FORMAT.length + 1);
}

/** Opens a blob under exactly the context it was sealed in; throws `BlobRefused` for anything else. The caller wipes the result. */
export function openSecret(key: VersionedKey, context: SecretContext, blob: Buffer): Buffer {
  const expected = header(key.version, context.secretVersion);
  if (blob.length < SMALLEST || !blob.subarray(0, HEADER_BYTES).equals(expected)) throw new BlobRefused();
  const associated = secretAssociatedData(FORMAT, context, key.version);
  const dataKey = unwrapDataKey(key.key, blob, associated);
  try {
    return openBody(dataKey, blob, associated);
  } finally {
    dataKey.fill(0);
  }
}

function unwrapDataKey(key: KeyObject, blob: Buffer, associated: Buffer): Buffer {
  return openOrRefuse(key, { nonce: blob.subarray(WRAP_NONCE_AT, WRAPPED_AT), associated, body: blob.subarray(WRAPPED_AT, NONCE_AT) });
}

function openBody(dataKey: Buffer, blob: Buffer, associated: Buffer): Buffer {
  const claimed = blob.subarray(-COMMIT_BYTES);
  if (!timingSafeEqual(claimed, commitment(dataKey, blob.subarray(0, HEADER_BYTES)))) throw new BlobRefused();
  const body = blob.subarray(BODY_AT, -COMMIT_BYTES);
  return openOrRefuse(createSecretKey(dataKey), { nonce: blob.subarray(NONCE_AT, BODY_AT), associated, body });
}

function openOrRefuse(key: KeyObject, message: Parameters<typeof gcmOpen>[1]): Buffer {
  try {
    return gcmOpen(key, message);
  } catch {
    // The reason is deliberately dropped: telling header from tag failures apart would be an oracle.
    throw new BlobRefused();
  }
}
