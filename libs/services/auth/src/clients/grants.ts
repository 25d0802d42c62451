import type { Actor, clientContracts, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { endGrants } from '../authorization-server/end-grants.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { isLiveGrant, liveGrants } from './grant-rows.js';

/** Which grant to end; `ownedBy` restricts it to that caller's. */
export interface GrantRevocation {
  id: string;
  ownedBy: string | null;
}

/** What clients were given in the name of callers. */
export class Grants {
  constructor(private readonly parts: { db: Database; changes: DirectoryChanges; log: Logger; clock: Clock }) {}

  /** Live grants of one caller, or of all (null). */
  list(callerId: string | null): Promise<clientContracts.Grant[]> {
    return liveGrants(this.parts.db, callerId, this.parts.clock.now());
  }

  /**
   * Ends a grant; edges refuse its access tokens from the directory version that is returned. An unknown
   * grant and somebody else's are both `not_found`, so that ids cannot be probed.
   */
  async revoke(by: Actor, { id, ownedBy }: GrantRevocation): Promise<SnapshotVersion> {
    const { changes, clock, log } = this.parts;
    const { directory } = await changes.apply(async (tx) => {
      if (!(await isLiveGrant(tx, id, ownedBy, clock.now()))) throw new Refusal('not_found');
      const ended = await endGrants(tx, { grantId: id }, clock.now());
      return { result: ended, changed: ended > 0 };
    });
    log.info({ actorId: by.callerId, grantId: id }, 'grant revoked');
    return directory;
  }
}
