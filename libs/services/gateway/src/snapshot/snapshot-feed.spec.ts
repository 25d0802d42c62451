import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@gatehouse/bus';
import { policyContracts, SNAPSHOT_CHUNK_CHARS } from '@gatehouse/contracts';
import { systemClock, type Clock } from '@gatehouse/kernel';
import { createLogger } from '@gatehouse/telemetry';
import { TestClock } from '@gatehouse/testing';
import { Neighbours, newSigner, signText, type Signer } from '../neighbours.conformance.js';
import { SnapshotFeed } from './snapshot-feed.js';

type Snapshot = policyContracts.PolicySnapshot;

const EVERYTHING = 'permit (principal, action, resource);';

describe('SnapshotFeed', () => {
  let neighbours: Neighbours;
  let bus: Bus;
  let clock: TestClock;
  let applied: Snapshot[];
  let listed: Signer[];
  /** What is listed only to those who ask again. */
  let later: Signer[] = [];
  let asked: boolean[];
  let broken = false;

  beforeEach(async () => {
    neighbours = new Neighbours();
    await neighbours.serve(['policy']);
    neighbours.setPolicy(EVERYTHING);
    bus = neighbours.bus('gateway');
    clock = new TestClock();
    [applied, asked, broken] = [[], [], false];
    [listed, later] = [[neighbours.signers.policy], []];
  });

  afterEach(() => neighbours.close());

  const feedOf = (its: Clock = clock): SnapshotFeed<Snapshot> =>
    new SnapshotFeed({
      ...{ name: 'policy', bus, clock: its, log: createLogger({ service: 'gateway', level: 'silent' }) } as const,
      request: policyContracts.getPolicySnapshot,
      published: policyContracts.policySnapshotPublished,
      schema: policyContracts.policySnapshot,
      keys: async (anew) => {
        asked.push(anew);
        return new Map([...listed, ...(anew ? later : [])].map(({ id, publicKey }) => [id, publicKey]));
      },
      apply: (snapshot) => {
        if (broken) throw new Error('cannot be compiled');
        applied.push(snapshot);
      },
    });
  const versions = (): number[] => applied.map(({ version }) => version);
  const holding = async (): Promise<SnapshotFeed<Snapshot>> => {
    const feed = feedOf();
    await feed.refresh();
    expect(feed.held).toEqual({ epoch: neighbours.epoch, version: neighbours.policyVersion });
    return feed;
  };

  it('has nothing before the first snapshot, and says so', () => {
    const feed = feedOf();
    expect([feed.held, feed.ageMs(), feed.health()]).toEqual([undefined, Number.POSITIVE_INFINITY, 'policy snapshot not loaded']);
  });

  it('applies what is new, once, and counts its age from when it was confirmed', async () => {
    const feed = await holding();
    clock.advance(4_000);
    expect([feed.ageMs(), feed.health()]).toEqual([4_000, true]);
    await feed.refresh();
    expect([versions(), feed.ageMs()]).toEqual([[2], 0]);
    neighbours.setPolicy(EVERYTHING);
    await feed.refresh();
    expect(versions()).toEqual([2, 3]);
  });

  it.each([
    ['signed by somebody else under the right key id', () => ({ ...newSigner('key_policy') })],
    ['signed under a key id that nobody knows', () => newSigner('key_stranger')],
    ['signed under no key id', () => newSigner('')],
  ])('keeps what it holds when a snapshot is %s', async (_how, stranger) => {
    const feed = await holding();
    const own = neighbours.signing.policy;
    neighbours.signing.policy = stranger();
    neighbours.setPolicy('forbid (principal, action, resource);');
    clock.advance(1_000);
    await feed.refresh();
    expect([versions(), feed.ageMs(), feed.health()]).toEqual([[2], 1_000, 'policy snapshot rejected: bad signature']);
    neighbours.signing.policy = own;
    await feed.refresh();
    expect([versions(), feed.health()]).toEqual([[2, 3], true]);
  });

  it('asks for the keys again when a snapshot names one it does not know: keys are rotated', async () => {
    const feed = await holding();
    const next = newSigner('key_policy_2');
    later = [next];
    neighbours.signing.policy = next;
    neighbours.setPolicy(EVERYTHING);
    asked = [];
    await feed.refresh();
    expect(asked).toEqual([false, true]);
    expect(versions()).toEqual([2, 3]);
  });

  it('refuses an older version of the same epoch, and is not confirmed by it', async () => {
    const feed = await holding();
    neighbours.policyVersion = 1;
    clock.advance(1_000);
    await feed.refresh();
    expect([versions(), feed.held?.version, feed.ageMs()]).toEqual([[2], 2, 1_000]);
  });

  it('takes any version of another epoch: the database was restored', async () => {
    const feed = await holding();
    Object.assign(neighbours, { epoch: 'epoch-2', policyVersion: 1 });
    await feed.refresh();
    expect(feed.held).toEqual({ epoch: 'epoch-2', version: 1 });
  });

  it('keeps the old state when the new one cannot be built, and tells readiness', async () => {
    const feed = await holding();
    broken = true;
    neighbours.setPolicy(EVERYTHING);
    await feed.refresh();
    expect([feed.held?.version, feed.health()]).toEqual([2, 'policy snapshot rejected: it could not be built']);
    broken = false;
    await feed.refresh();
    expect([feed.held?.version, feed.health()]).toEqual([3, true]);
  });

  it('refuses a signed text of another form', async () => {
    const feed = await holding();
    neighbours.policyText = () => JSON.stringify({ epoch: neighbours.epoch, version: 9, everything: 'allowed' });
    neighbours.policyVersion = 9;
    await feed.refresh();
    expect([versions(), feed.health()]).toEqual([[2], 'policy snapshot rejected: it is not of the form agreed on']);
  });

  it('puts a snapshot of several pieces together', async () => {
    neighbours.setPolicy(`// ${'x'.repeat(2.5 * SNAPSHOT_CHUNK_CHARS)}\n${EVERYTHING}`);
    const feed = feedOf();
    await feed.refresh();
    expect(applied[0]?.policies[0]?.text).toHaveLength(2.5 * SNAPSHOT_CHUNK_CHARS + 4 + EVERYTHING.length);
  });

  it('begins anew when the snapshot changes between two pieces', async () => {
    neighbours.setPolicy(`// ${'x'.repeat(SNAPSHOT_CHUNK_CHARS)}`);
    const text = neighbours.policyText.bind(neighbours);
    let pieces = 0;
    neighbours.policyText = () => {
      pieces += 1;
      if (pieces === 2) neighbours.setPolicy(`// ${'y'.repeat(SNAPSHOT_CHUNK_CHARS)}`);
      return text();
    };
    const feed = feedOf();
    await feed.refresh();
    await feed.refresh();
    expect(applied.map(({ policies }) => policies[0]!.text.slice(3, 5))).toEqual(['yy']);
  });

  it('fetches once more for any number of announcements during a fetch', async () => {
    const feed = feedOf();
    let fetches = 0;
    const text = neighbours.policyText.bind(neighbours);
    neighbours.policyText = () => ((fetches += 1), (neighbours.policyVersion += 1), text());
    await Promise.all(Array.from({ length: 20 }, () => feed.refresh()));
    expect(fetches).toBe(2);
  });

  it('waits until a version is in force, and not longer than told', async () => {
    const feed = feedOf(systemClock);
    const wanted = { epoch: neighbours.epoch, version: neighbours.policyVersion + 1 };
    setTimeout(() => neighbours.setPolicy(EVERYTHING), 100);
    expect(await feed.reached(wanted, 2_000)).toBe(true);
    expect(await feed.reached(wanted, 0)).toBe(true);
    expect(await feed.reached({ ...wanted, version: wanted.version + 1 }, 120)).toBe(false);
    expect(await feed.reached({ epoch: 'another', version: 0 }, 60)).toBe(false);
  });

  it('stays as it is while the owner is not there', async () => {
    const feed = await holding();
    await neighbours.close();
    bus = neighbours.bus('gateway');
    clock.advance(7_000);
    await feed.refresh();
    expect([feed.held?.version, feed.ageMs(), feed.health()]).toEqual([2, 7_000, true]);
    await feed.close();
  });

  describe('by the other path', () => {
    const byMirror = (feed: SnapshotFeed<Snapshot>, signer: Signer, text: string, agoMs: number): void =>
      feed.accept({ text, keyId: signer.id, signature: signText(text, signer) }, new Map(listed.map(({ id, publicKey }) => [id, publicKey])), agoMs);

    it('takes what is newer, and is as young as the word it came with', async () => {
      const feed = await holding();
      clock.advance(10_000);
      neighbours.setPolicy(EVERYTHING);
      byMirror(feed, neighbours.signers.policy, neighbours.policyText(), 3_000);
      expect([versions(), feed.ageMs()]).toEqual([[2, 3], 3_000]);
    });

    it('does not grow older by an old word', async () => {
      const feed = await holding();
      byMirror(feed, neighbours.signers.policy, neighbours.policyText(), 20_000);
      expect(feed.ageMs()).toBe(0);
    });

    it('is not kept young by a replayed one', async () => {
      const old = neighbours.policyText();
      neighbours.setPolicy(EVERYTHING);
      const feed = await holding();
      clock.advance(10_000);
      byMirror(feed, neighbours.signers.policy, old, 0);
      expect([versions(), feed.ageMs()]).toEqual([[3], 10_000]);
    });

    it('refuses what is not genuine without losing readiness', async () => {
      const feed = await holding();
      neighbours.setPolicy(EVERYTHING);
      expect(() => byMirror(feed, newSigner('key_policy'), neighbours.policyText(), 0)).toThrow('bad signature');
      expect([versions(), feed.health()]).toEqual([[2], true]);
    });
  });
});
