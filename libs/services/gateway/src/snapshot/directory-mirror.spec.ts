import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { directoryContracts } from '@gatehouse/contracts';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { createLogger } from '@gatehouse/telemetry';
import { TestClock } from '@gatehouse/testing';
import { Neighbours, newSigner, signText, type Signer } from '../neighbours.conformance.js';
import { DirectoryMirror } from './directory-mirror.js';
import { SnapshotFeed } from './snapshot-feed.js';

const POLL_MS = 5_000;
const LONG_MS = 60_000;
const log = createLogger({ service: 'gateway', level: 'silent' });

describe('DirectoryMirror', () => {
  let neighbours: Neighbours;
  let clock: TestClock;
  let ephemeral: Ephemeral;
  let feed: SnapshotFeed<directoryContracts.Directory>;
  let mirror: DirectoryMirror;
  let applied: number[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    neighbours = new Neighbours();
    clock = new TestClock();
    jest.setSystemTime(clock.now());
    ephemeral = memoryEphemeral();
    applied = [];
    const keys = async () => new Map([[neighbours.signers.directory.id, neighbours.signers.directory.publicKey]]);
    feed = new SnapshotFeed({
      ...{ name: 'directory', bus: neighbours.bus('gateway'), clock, log, keys } as const,
      request: directoryContracts.getDirectory,
      published: directoryContracts.directoryPublished,
      schema: directoryContracts.directory,
      apply: ({ version }) => void applied.push(version),
    });
    mirror = new DirectoryMirror({ ephemeral, feed, keys, clock, log });
    mirror.start();
  });

  afterEach(async () => {
    jest.useRealTimers();
    await mirror.close();
    await neighbours.close();
  });

  const leave = (signer: Signer, text = neighbours.directoryText()): Promise<void> =>
    ephemeral.set(directoryContracts.DIRECTORY_MIRROR_KEY, JSON.stringify({ text, keyId: signer.id, signature: signText(text, signer) }), LONG_MS);
  const polled = async (): Promise<void> => {
    await jest.advanceTimersByTimeAsync(POLL_MS);
  };

  it('brings a directory that the bus did not, as old as auth signed it', async () => {
    neighbours.addToken('ada');
    await leave(neighbours.signers.directory);
    clock.advance(2_000);
    await polled();
    expect([applied, feed.ageMs()]).toEqual([[2], 2_000]);
  });

  it('brings nothing that auth did not sign (E-43)', async () => {
    await leave(newSigner(neighbours.signers.directory.id));
    await polled();
    await leave(newSigner('key_stranger'));
    await polled();
    expect([applied, feed.ageMs()]).toEqual([[], Number.POSITIVE_INFINITY]);
  });

  it.each(['', 'no json', '{}', '{"text":"{}","keyId":"key_directory","signature":""}', 'null'])('goes on after %p', async (stored) => {
    await ephemeral.set(directoryContracts.DIRECTORY_MIRROR_KEY, stored, LONG_MS);
    await polled();
    await leave(neighbours.signers.directory);
    await polled();
    expect(applied).toEqual([1]);
  });

  it('does not bring back what was revoked', async () => {
    const old = neighbours.directoryText();
    neighbours.addToken('ada');
    await leave(neighbours.signers.directory);
    await polled();
    clock.advance(10_000);
    await leave(neighbours.signers.directory, old);
    await polled();
    expect([applied, feed.ageMs()]).toEqual([[2], 10_000]);
  });

  it('waits while the store is away', async () => {
    await ephemeral.close();
    await polled();
    expect([applied, feed.ageMs()]).toEqual([[], Number.POSITIVE_INFINITY]);
  });
});
