import { describe, expect, it } from '@jest/globals';
import { idPattern, newId, timeOfId } from './ids.js';

const at = (ms: number) => ({ now: () => ms, monotonicMs: () => 0 });

describe('ids', () => {
  it('are UUIDs of version 7 and variant 10 behind their prefix, none of them twice', () => {
    const ids = Array.from({ length: 5_000 }, () => newId('call'));
    for (const id of ids) expect(id).toMatch(idPattern('call'));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...new Set(ids.map((id) => id.split('-')[3]![0]))].sort()).toEqual(['8', '9', 'a', 'b']);
  });

  it('tell when they were made, and sort by it', () => {
    const times = [1, 1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_000 + 2 ** 32];
    const ids = times.map((ms) => newId('event', at(ms)));
    expect(ids.map(timeOfId)).toEqual(times);
    expect([...ids].sort()).toEqual(ids);
    expect(timeOfId('cal_not-one-of-ours')).toBeUndefined();
  });
});
