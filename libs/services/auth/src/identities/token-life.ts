const MINUTE_MS = 60_000;

/** When a token ends, and how long it was to live (ms); null when that is not known. */
export interface TokenLife {
  expiresAt: number | null;
  ttlMs: number | null;
}

/**
 * Whether a token lives long enough to go on with: more than a minute and a tenth of its life, but
 * of short-lived ones never more than half, or they would be refreshed at every look.
 */
export function isFresh({ expiresAt, ttlMs }: TokenLife, nowMs: number): boolean {
  if (expiresAt === null) return true;
  const ttl = ttlMs ?? 0;
  return expiresAt - nowMs > Math.min(Math.max(MINUTE_MS, ttl / 10), ttl / 2);
}

/**
 * When to refresh ahead: before any edge asks, and spread, because many accounts are connected in the
 * same minute. Null when the end is not known.
 */
export function dueAt({ expiresAt, ttlMs }: TokenLife, random = Math.random()): number | null {
  if (expiresAt === null || ttlMs === null) return null;
  const lead = Math.min(Math.max(2 * MINUTE_MS, ttlMs / 5), ttlMs * 0.6);
  return Math.floor(expiresAt - lead - random * ttlMs * 0.1);
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;

/** How long to leave an authorization server alone that did not answer so many times in a row (ms): doubling, spread by a quarter. */
export function pauseAfter(failures: number, random = Math.random()): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20), LONGEST_PAUSE_MS);
  return Math.round(pause * (0.75 + random / 2));
}
