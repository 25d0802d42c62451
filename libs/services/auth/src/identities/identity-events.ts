import { identityContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Outbox, Transaction } from '@gatehouse/persistence';
import type { z } from 'zod';
import type { IdentityRow } from './identity-rows.js';

/** Why an identity is told of. */
export type ChangeCause = z.output<typeof identityContracts.identityChanged.payload>['cause'];

/** Says in the change's own transaction, and as its last step, what became of identities. */
export class IdentityEvents {
  constructor(
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** One identity, as it is after the change. */
  async add(tx: Transaction, row: Pick<IdentityRow, 'id' | 'serverId' | 'owner' | 'status' | 'reason'>, cause: ChangeCause): Promise<void> {
    const { id: identityId, serverId, owner, status, reason } = row;
    await this.outbox.add(tx, identityContracts.identityChanged.subject, { identityId, serverId, owner, status, reason, cause, at: this.clock.now() });
  }

  /** Call after a commit that did not change the directory: `DirectoryChanges` does it otherwise. */
  poke(): void {
    this.outbox.poke();
  }
}
