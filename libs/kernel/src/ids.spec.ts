import { describe, expect, it } from '@jest/globals';
import { ID_PREFIXES, idPattern, newId, timeOfId, type IdKind } from './ids.js';

const NOW = Date.UTC(2026, 5, 1, 12);
const clock = { now: () => NOW, monotonicMs: () => 0 };

describe('newId', () => {
  it.each(Object.entries(ID_PREFIXES))('makes a UUIDv7 that says it is a %s', (kind, prefix) => {
    const id = newId(kind as IdKind, clock);
    expect(id.startsWith(`${prefix}_`)).toBe(true);
    expect(id).toMatch(idPattern(kind as IdKind));
    expect(timeOfId(id)).toBe(NOW);
  });

  it('makes no two alike, also when the pool of randomness runs out', () => {
    const ids = Array.from({ length: 20_000 }, () => newId('call', clock));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => idPattern('call').test(id))).toBe(true);
    expect([...new Set(ids.map((id) => id.split('-')[3]![0]))].sort()).toEqual(['8', '9', 'a', 'b']);
  });

  it('tells when it was made, and sorts by it', () => {
    const times = [1, 1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_000 + 2 ** 32];
    const ids = times.map((ms) => newId('event', { ...clock, now: () => ms }));
    expect(ids.map(timeOfId)).toEqual(times);
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('idPattern', () => {
  it.each(['per_', 'per_x', 'tok_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3', 'per_01a1fe77-7de2-467f-ae1e-8fcc84f36cc3', 'per_01A1FE77-7DE2-767F-AE1E-8FCC84F36CC3', 'per_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3\n', ' per_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3', 'per_01a1fe77-7de2-767f-ce1e-8fcc84f36cc3'])(
    'does not take %p for a person',
    (text) => {
      expect(idPattern('person').test(text)).toBe(false);
    },
  );
});

describe('timeOfId', () => {
  it('knows the time of ids only', () => {
    for (const text of ['', 'x', 'per_x', 'per_01a1fe77-7de2-467f-ae1e-8fcc84f36cc3']) expect(timeOfId(text)).toBeUndefined();
  });
});
