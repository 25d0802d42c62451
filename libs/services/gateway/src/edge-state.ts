import type { directoryContracts, policyContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { EdgeState } from './edge.js';
import type { DirectoryState } from './snapshot/directory-state.js';
import type { PolicyState } from './snapshot/policy-state.js';
import type { SnapshotFeed } from './snapshot/snapshot-feed.js';

/** The two snapshots in force, each one reference, and whether they are fresh enough to decide by. */
export class SnapshotState implements EdgeState {
  #policy: PolicyState | undefined;
  #directory: DirectoryState | undefined;
  policyFeed: SnapshotFeed<policyContracts.PolicySnapshot> | undefined;
  directoryFeed: SnapshotFeed<directoryContracts.Directory> | undefined;

  constructor(private readonly bounds: { policyMaxAgeMs: number; directoryMaxAgeMs: number }) {}

  /** Puts a new policy state in force and frees what the old one held. */
  replacePolicy(next: PolicyState): void {
    const old = this.#policy;
    this.#policy = next;
    old?.policies.dispose();
  }

  /** Puts a new directory in force. */
  replaceDirectory(next: DirectoryState): void {
    this.#directory = next;
  }

  policy(): PolicyState {
    const isFresh = (this.policyFeed?.ageMs() ?? Number.POSITIVE_INFINITY) <= this.bounds.policyMaxAgeMs;
    if (this.#policy === undefined || !isFresh) throw new Refusal('policy_stale');
    return this.#policy;
  }

  directory(): DirectoryState {
    const isFresh = (this.directoryFeed?.ageMs() ?? Number.POSITIVE_INFINITY) <= this.bounds.directoryMaxAgeMs;
    if (this.#directory === undefined || !isFresh) throw new Refusal('directory_stale');
    return this.#directory;
  }

  /** The policy state without the question of age, for work off the calls' path. */
  lastPolicy(): PolicyState | undefined {
    return this.#policy;
  }
}
