import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** What most arguments and answers fit into, with their block before them. */
const WORK_BYTES = 32 * 1024;

/**
 * HMAC-SHA256 (RFC 2104) under one key, base64url, for input that is whole. Short input takes two one-shot hashes
 * over memory that is used again: an Hmac object per digest, of which a call needs two, costs three times that in
 * a busy process. The spec holds both ways against each other.
 */
export class KeyedDigest {
  readonly #key: KeyObject;
  readonly #work = Buffer.allocUnsafeSlow(WORK_BYTES);
  readonly #outer = Buffer.allocUnsafeSlow(BLOCK_BYTES + DIGEST_BYTES);

  /** The bytes of `key` (at most 64) are copied; the caller may overwrite them. */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
    this.#work.fill(INNER, 0, BLOCK_BYTES);
    this.#outer.fill(OUTER, 0, BLOCK_BYTES);
    for (const [at, byte] of key.entries()) {
      this.#work[at] = byte ^ INNER;
      this.#outer[at] = byte ^ OUTER;
    }
  }

  /** The digest of bytes, or of a text as UTF-8. */
  of(data: Buffer | string): string {
    const mostBytes = typeof data === 'string' ? data.length * 3 : data.length;
    if (mostBytes > WORK_BYTES - BLOCK_BYTES) return createHmac('sha256', this.#key).update(data).digest('base64url');
    const length = typeof data === 'string' ? this.#work.write(data, BLOCK_BYTES) : data.copy(this.#work, BLOCK_BYTES);
    const inner = hash('sha256', this.#work.subarray(0, BLOCK_BYTES + length), 'binary');
    this.#outer.write(inner, BLOCK_BYTES, 'binary');
    return hash('sha256', this.#outer, 'base64url');
  }
}
