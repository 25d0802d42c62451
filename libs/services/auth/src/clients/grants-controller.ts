import { Serves } from '@gatehouse/bus';
import { clientContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Grants, type GrantRevocation } from './grants.js';

/** Answers for grants. */
@Controller()
export class GrantsController {
  constructor(private readonly grants: Grants) {}

  /** Live grants of one caller, or of all. */
  @Serves(clientContracts.listGrants)
  async list({ callerId }: { callerId: string | null }): Promise<{ items: clientContracts.Grant[] }> {
    return { items: await this.grants.list(callerId) };
  }

  /** Ends a grant. */
  @Serves(clientContracts.revokeGrant)
  async revoke({ actor, ...which }: GrantRevocation & { actor: Actor }): Promise<{ directory: SnapshotVersion }> {
    return { directory: await this.grants.revoke(actor, which) };
  }
}
