/** Time as Gatehouse reads it; tests hand in one they can move (`@gatehouse/testing`). */
export interface Clock {
  /** Wall clock in milliseconds since the Unix epoch: for expiry and for records. */
  now(): number;
  /** Monotonic milliseconds: for durations and leases, because the wall clock may be set back. */
  monotonicMs(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};
