import { describe, expect, it } from '@jest/globals';
import { systemClock } from './clock.js';

describe('systemClock', () => {
  it('reads the wall and a time that never goes back', () => {
    const before = Date.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    const readings = Array.from({ length: 1_000 }, () => systemClock.monotonicMs());
    expect(readings.every((reading, at) => at === 0 || reading >= readings[at - 1]!)).toBe(true);
  });
});
