import { createHash, timingSafeEqual } from 'node:crypto';

const MARK = 'sha256:';

/** What is kept of a client secret: its digest, which is enough for 256 random bits; a kept one stays as it is. */
export function keptSecret(secret: string): string {
  return secret.startsWith(MARK) ? secret : digestOf(secret);
}

/** Whether a presented secret is the one that was kept; what was kept is no secret itself. */
export function isSecret(presented: string, kept: string | undefined): boolean {
  if (kept === undefined || !kept.startsWith(MARK)) return false;
  const [given, expected] = [Buffer.from(digestOf(presented)), Buffer.from(kept)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function digestOf(secret: string): string {
  return MARK + createHash('sha256').update(secret).digest('base64url');
}
