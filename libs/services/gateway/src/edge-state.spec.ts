import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { directoryContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { SignedText } from '@gatehouse/snapshots';
import { createLogger } from '@gatehouse/telemetry';
import { TestClock } from '@gatehouse/testing';
import { SnapshotState } from './edge-state.js';
import { DirectoryState } from './snapshot/directory-state.js';
import { SnapshotFeed } from './snapshot/snapshot-feed.js';

const BOUND_MS = 30_000;
const pair = generateKeyPairSync('ed25519');
const keys = new Map([['k', pair.publicKey]]);

describe('the snapshots in force', () => {
  let clock: TestClock;
  let state: SnapshotState;
  let feed: SnapshotFeed<directoryContracts.Directory>;

  const signed = (version: number): SignedText => {
    const text = JSON.stringify({ epoch: 'e', version, issuedAt: clock.now(), callers: [], tokens: [], keys: [], denied: [], issuers: [] });
    return { text, keyId: 'k', signature: sign(null, Buffer.from(text), pair.privateKey).toString('base64url') };
  };

  beforeEach(() => {
    clock = new TestClock();
    state = new SnapshotState({ policyMaxAgeMs: BOUND_MS, directoryMaxAgeMs: BOUND_MS });
    feed = new SnapshotFeed({
      ...{ name: 'directory' as const, clock, bus: inProcessBus(new InProcessBroker(), 'gateway') },
      log: createLogger({ service: 'gateway', level: 'silent' }),
      request: directoryContracts.getDirectory,
      published: directoryContracts.directoryPublished,
      schema: directoryContracts.directory,
      keys: async () => keys,
      apply: (directory) => state.replaceDirectory(new DirectoryState(directory)),
    });
    state.directoryFeed = feed;
  });

  it('are refused as stale before the first one is there', () => {
    expect(() => state.directory()).toThrow(new Refusal('directory_stale'));
    expect(() => state.policy()).toThrow(new Refusal('policy_stale'));
  });

  it('serve to the end of their bound, are stale after it, and serve again when confirmed', () => {
    feed.accept(signed(1), keys, 0);
    clock.advance(BOUND_MS);
    expect(state.directory()).toBeInstanceOf(DirectoryState);
    clock.advance(1);
    expect(() => state.directory()).toThrow(new Refusal('directory_stale'));
    feed.accept(signed(1), keys, 0);
    expect(state.directory()).toBeInstanceOf(DirectoryState);
  });

  it('are as old as the word of their owner, not as the moment they arrived by the mirror', () => {
    feed.accept(signed(1), keys, BOUND_MS + 1);
    expect(() => state.directory()).toThrow(new Refusal('directory_stale'));
    feed.accept(signed(1), keys, BOUND_MS - 1);
    feed.accept(signed(1), keys, BOUND_MS + 1);
    expect(state.directory()).toBeInstanceOf(DirectoryState);
  });

  it('do not get fresher by a wall clock that was set back', () => {
    feed.accept(signed(1), keys, 0);
    clock.advance(BOUND_MS + 1);
    clock.setWall(0);
    expect(() => state.directory()).toThrow(new Refusal('directory_stale'));
  });

  it('do not get fresher by a text that was not signed with the key it names', () => {
    const forged = { ...signed(2), text: signed(3).text };
    expect(() => feed.accept(forged, keys, 0)).toThrow('bad signature');
    expect(() => feed.accept(signed(2), new Map(), 0)).toThrow('bad signature');
    expect(() => state.directory()).toThrow(new Refusal('directory_stale'));
  });
});
