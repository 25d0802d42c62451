import { verify, type KeyObject } from 'node:crypto';

/** A snapshot's text with the signature over it. */
export interface SignedText {
  text: string;
  keyId: string;
  /** Ed25519 over the text's UTF-8 bytes, base64url. */
  signature: string;
}

/** Public keys by id, as the vault lists them. */
export type VerificationKeys = ReadonlyMap<string, KeyObject>;

/**
 * Whether the text was signed with the key it names. "No such key" never means "not signed": an
 * unknown or empty key id is a failed check.
 */
export function isGenuine({ text, keyId, signature }: SignedText, keys: VerificationKeys): boolean {
  const key = keys.get(keyId);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}
