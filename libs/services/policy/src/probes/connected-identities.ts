import type { identityContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';

/** What is told of an identity. */
export type IdentityChange = z.output<typeof identityContracts.identityChanged.payload>;

/** After these somebody can do what nobody could before: a token that was merely renewed shows no other tools. */
const OPENS_UP: ReadonlySet<IdentityChange['cause']> = new Set(['connected', 'stored', 'shared']);

/** Has edges look at a server as whoever was just connected to it, so that what it offers becomes known. */
export class ConnectedIdentities {
  constructor(private readonly changes: SnapshotChanges) {}

  /** Takes in one change. What is about a server that is stopped or gone is dropped. */
  async take({ identityId, serverId, owner, status, cause }: IdentityChange): Promise<void> {
    if (status !== 'active' || !OPENS_UP.has(cause)) return;
    await this.changes.apply(async (tx) => {
      const servers = await tx.query("SELECT id FROM servers WHERE id = $1 AND state = 'running'", [serverId]);
      if (servers.length > 0) await this.changes.orderProbe(tx, serverId, { identity: { id: identityId, owner } });
      return { result: undefined, changed: false };
    });
  }
}
