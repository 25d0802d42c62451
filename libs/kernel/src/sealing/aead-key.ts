import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A named AES-256-GCM key for tokens that Gatehouse hands out and takes back (session ids, event
 * ids, cursors). Random nonces: keep one key under 2^32 seals (NIST SP 800-38D section 8.3).
 */
export class AeadKey {
  readonly #key: KeyObject;

  /** `bytes` must be 32 random bytes; the caller may wipe them afterwards. */
  constructor(
    readonly id: string,
    bytes: Buffer,
  ) {
    if (bytes.length !== 32) throw new Error('an AES-256 key has 32 bytes');
    this.#key = createSecretKey(bytes);
  }

  /** Seals `plaintext` under `context` (authenticated, not stored). Returns base64url. */
  seal(plaintext: Buffer, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** Opens what `seal` made under the same `context`; `undefined` for anything else, without a reason (no oracle). */
  open(sealed: string, context: string): Buffer | undefined {
    const box = Buffer.from(sealed, 'base64url');
    // A lenient base64url decoder would let many spellings name one session: only the canonical one counts.
    if (box.length < NONCE_BYTES + TAG_BYTES || box.toString('base64url') !== sealed) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, box.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(context))
      .setAuthTag(box.subarray(-TAG_BYTES));
    const head = decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([head, decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
