import type { Clock } from '@gatehouse/kernel';

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  private wallMs: number;
  private elapsedMs = 0;

  /** Starts at the given wall time (milliseconds since the epoch); 2026-01-01T00:00:00Z unless told. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.wallMs = startMs;
  }

  now(): number {
    return this.wallMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Time passes: both readings move forward. */
  advance(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }

  /** Someone sets the wall clock, possibly back; monotonic time is untouched. */
  setWall(ms: number): void {
    this.wallMs = ms;
  }
}
