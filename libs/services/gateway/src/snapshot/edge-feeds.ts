import type { Bus } from '@gatehouse/bus';
import { directoryContracts, policyContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { EdgeKeys } from '../keys/edge-keys.js';
import { SnapshotFeed } from './snapshot-feed.js';

/** What the feeds of an edge go through. */
export interface FeedWorld {
  bus: Bus;
  clock: Clock;
  log: Logger;
  keys: EdgeKeys;
}

/** The feed of policies and servers. */
export function policyFeed({ bus, clock, log, keys }: FeedWorld, apply: (snapshot: policyContracts.PolicySnapshot) => void): SnapshotFeed<policyContracts.PolicySnapshot> {
  return new SnapshotFeed({
    ...{ name: 'policy', bus, clock, log, apply } as const,
    request: policyContracts.getPolicySnapshot,
    published: policyContracts.policySnapshotPublished,
    schema: policyContracts.policySnapshot,
    keys: (anew) => keys.verification('policy', anew),
  });
}

/** The feed of callers, tokens and identities. */
export function directoryFeed({ bus, clock, log, keys }: FeedWorld, apply: (snapshot: directoryContracts.Directory) => void): SnapshotFeed<directoryContracts.Directory> {
  return new SnapshotFeed({
    ...{ name: 'directory', bus, clock, log, apply } as const,
    request: directoryContracts.getDirectory,
    published: directoryContracts.directoryPublished,
    schema: directoryContracts.directory,
    keys: (anew) => keys.verification('directory', anew),
  });
}
