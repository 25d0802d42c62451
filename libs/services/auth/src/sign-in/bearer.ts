import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits as a browser or a link carries them, base64url. */
export function newBearer(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of such a text: its SHA-256, base64url. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
