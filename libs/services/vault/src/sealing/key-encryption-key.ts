import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { lengthPrefixed } from './associated-data.js';
import { gcmOpen, gcmSeal, NONCE_BYTES, TAG_BYTES } from './gcm.js';
import { BlobRefused } from './secret-blob.js';

/** What a wrapped key is bound to: it opens as this key only. */
export interface KeyContext {
  environment: string;
  purpose: string;
  keyId: string;
  version: number;
}

const FORMAT = 'GHK1';
const KEY_BYTES = 32;
const NONCE_AT = FORMAT.length;
const BODY_AT = NONCE_AT + NONCE_BYTES;

/** The context as bytes, each member with its length: what providers bind a wrapped key to. */
export function contextBytes({ environment, purpose, keyId, version }: KeyContext): Buffer {
  return lengthPrefixed([FORMAT, 'gatehouse', environment, purpose, keyId, version]);
}

/** The root of the hierarchy: wraps the vault's own keys, never a secret itself. */
export class KeyEncryptionKey {
  /** Names the key without revealing it, so that a wrong key file is told from an altered row. */
  readonly id: string;
  readonly #key: KeyObject;

  /** Takes over 32 random bytes and wipes them. */
  constructor(bytes: Buffer) {
    if (bytes.length !== KEY_BYTES) throw new Error('a key-encryption key has 32 bytes');
    this.id = `kek_${Buffer.from(hkdfSync('sha256', bytes, '', 'gatehouse kek id', 8)).toString('hex')}`;
    this.#key = createSecretKey(bytes);
    bytes.fill(0);
  }

  /** `GHK1 | nonce 12 | ciphertext | tag 16`; `nonce` is handed in only by the fixed test vectors. */
  wrap(key: Buffer, context: KeyContext, nonce: Buffer = randomBytes(NONCE_BYTES)): Buffer {
    const body = gcmSeal(this.#key, { nonce, associated: contextBytes(context), body: key });
    return Buffer.concat([Buffer.from(FORMAT, 'latin1'), nonce, body]);
  }

  /** Opens what `wrap` made in the same context; throws `BlobRefused` for anything else. The caller wipes the result. */
  unwrap(blob: Buffer, context: KeyContext): Buffer {
    if (blob.length < BODY_AT + TAG_BYTES || blob.toString('latin1', 0, NONCE_AT) !== FORMAT) throw new BlobRefused();
    try {
      return gcmOpen(this.#key, { nonce: blob.subarray(NONCE_AT, BODY_AT), associated: contextBytes(context), body: blob.subarray(BODY_AT) });
    } catch {
      // Same answer for every cause: see BlobRefused.
      throw new BlobRefused();
    }
  }
}
