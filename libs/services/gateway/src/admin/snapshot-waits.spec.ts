import { describe, expect, it } from '@jest/globals';
import type { SnapshotVersion } from '@gatehouse/contracts';
import { SnapshotWaits } from './snapshot-waits.js';

describe('SnapshotWaits', () => {
  it('waits for the right snapshot, a second at most', async () => {
    const asked: [string, SnapshotVersion, number][] = [];
    const feed = (name: string, answer: boolean) => ({ reached: async (wanted: SnapshotVersion, limitMs: number) => (asked.push([name, wanted, limitMs]), answer) });
    const waits = new SnapshotWaits(feed('policy', true), feed('directory', false));
    const version = { epoch: 'e', version: 3 };
    expect([await waits.policyReached(version), await waits.directoryReached(version)]).toEqual([true, false]);
    expect(asked).toEqual([['policy', version, 1_000], ['directory', version, 1_000]]);
  });
});
