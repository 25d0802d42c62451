import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

/** Nonce length of AES-GCM in bytes (NIST SP 800-38D section 5.2.1.1). */
export const NONCE_BYTES = 12;

/** Tag length in bytes; shorter tags are never accepted. */
export const TAG_BYTES = 16;

/** One AES-256-GCM message: what to seal or open, under which nonce and associated data. */
export interface GcmMessage {
  nonce: Buffer;
  associated: Buffer;
  body: Buffer;
}

/** Encrypts `body`; returns ciphertext followed by the 16-byte tag. */
export function gcmSeal(key: KeyObject, { nonce, associated, body }: GcmMessage): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
  return Buffer.concat([cipher.update(body), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `gcmSeal` made; throws, without a reason, for anything else. */
export function gcmOpen(key: KeyObject, { nonce, associated, body }: GcmMessage): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(associated)
    .setAuthTag(body.subarray(-TAG_BYTES));
  const plain = decipher.update(body.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    // Unauthenticated plaintext must not survive the refusal.
    plain.fill(0);
    throw cause;
  }
  return plain;
}
