import { Fault } from '@gatehouse/kernel';

/**
 * A lifetime as both stores take it: whole milliseconds, at least 1, so that a remaining lifetime
 * that just ran out is written as an entry that expires at once. Not a number is a Fault.
 */
export function wholeTtl(ttlMs: number): number {
  if (!Number.isFinite(ttlMs)) throw new Fault(`a lifetime must be finite, got ${ttlMs}`);
  return Math.max(1, Math.ceil(ttlMs));
}
