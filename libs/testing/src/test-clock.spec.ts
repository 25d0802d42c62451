import { describe, expect, it } from '@jest/globals';
import { TestClock } from './test-clock.js';

describe('TestClock', () => {
  it('stands still until moved, then moves both readings', () => {
    const clock = new TestClock(1_000);
    expect([clock.now(), clock.monotonicMs()]).toEqual([1_000, 0]);
    clock.advance(250);
    expect([clock.now(), clock.monotonicMs()]).toEqual([1_250, 250]);
  });

  it('leaves monotonic time alone when the wall clock is set back', () => {
    const clock = new TestClock(1_000);
    clock.advance(10);
    clock.setWall(0);
    expect([clock.now(), clock.monotonicMs()]).toEqual([0, 10]);
  });
});
