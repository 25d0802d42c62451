/**
 * State that may be lost at any moment without crossing users: affinity, replay marks, parked
 * interactions, the revocation mirror. Keys and values are text, every entry expires.
 *
 * Every call refuses with `service_unavailable` within 500 ms while the store cannot be reached,
 * and with `overloaded` when it is full: an entry is never dropped early to make room, because a
 * dropped replay mark would let a replay through.
 */
export interface Ephemeral {
  /** The value, or `undefined` when the key is absent or has expired. */
  get(key: string): Promise<string | undefined>;
  /** Writes or replaces; the entry expires `ttlMs` milliseconds from now (at least 1). */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Writes only when the key is absent; true for exactly one of any number of concurrent callers. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  /** Reads and deletes in one step; exactly one of any number of concurrent callers gets the value. */
  take(key: string): Promise<string | undefined>;
  /** Deletes; no error when the key is absent. */
  delete(key: string): Promise<void>;
  /** Whether the store answers now, for readiness. */
  state(): 'up' | 'down';
  /** Lets go of connections and memory; calls after it refuse with `service_unavailable`. */
  close(): Promise<void>;
}
