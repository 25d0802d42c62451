import { TestClock } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';
import { describeEphemeral } from './ephemeral.conformance.js';
import { memoryEphemeral } from './memory-ephemeral.js';

describeEphemeral('memory', async () => memoryEphemeral());

describe('the bound of the memory store', () => {
  it('refuses a new key when full, still replaces an existing one, and takes new ones after expiry', async () => {
    const clock = new TestClock();
    const store = memoryEphemeral(clock, 2);
    await store.set('a', '1', 5_000);
    await store.set('b', '1', 60_000);
    await expect(store.set('c', '1', 5_000)).rejects.toMatchObject({ code: 'overloaded' });
    await store.set('b', '2', 60_000);
    clock.advance(5_000);
    await store.set('c', '1', 5_000);
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual([undefined, '2', '1']);
  });

  it('does not drop a replay mark to make room', async () => {
    const store = memoryEphemeral(new TestClock(), 1);
    await store.setIfAbsent('mark', 'used', 60_000);
    await expect(store.set('flood', 'x', 60_000)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await store.setIfAbsent('mark', 'used', 60_000)).toBe(false);
  });

  it('measures lifetimes on the monotonic clock, so that setting the wall clock back extends nothing', async () => {
    const clock = new TestClock();
    const store = memoryEphemeral(clock);
    await store.set('k', 'v', 1_000);
    clock.advance(1_000);
    clock.setWall(0);
    expect(await store.get('k')).toBeUndefined();
  });
});
