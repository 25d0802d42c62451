import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves when the work has ended either way, or after `limitMs`: leaving must end even when the
 * server is gone, and what could not be said in time is lost with the connection.
 */
export async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: timer.signal });
  await Promise.allSettled([Promise.race([work, limit]).finally(() => timer.abort())]);
}
