import type { SnapshotVersion } from '@gatehouse/contracts';

/** How long an answer may wait for its own effect at this edge. */
const LIMIT_MS = 1_000;

/** A feed one can wait on. */
interface Reachable {
  reached(wanted: SnapshotVersion, limitMs: number): Promise<boolean>;
}

/** Lets a change answer once it is in force here, so that who made it sees its effect with the next request. */
export class SnapshotWaits {
  constructor(
    private readonly policy: Reachable,
    private readonly directory: Reachable,
  ) {}

  /** Whether this edge decides by that version (or a newer one) within a second. */
  policyReached(version: SnapshotVersion): Promise<boolean> {
    return this.policy.reached(version, LIMIT_MS);
  }

  /** The same for people and tokens. */
  directoryReached(version: SnapshotVersion): Promise<boolean> {
    return this.directory.reached(version, LIMIT_MS);
  }
}
