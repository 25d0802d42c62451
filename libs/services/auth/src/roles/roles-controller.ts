import { Serves } from '@gatehouse/bus';
import { accessContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Roles, type NewRole } from './roles.js';

/** Answers for roles. */
@Controller()
export class RolesController {
  constructor(private readonly roles: Roles) {}

  /** All roles. */
  @Serves(accessContracts.listRoles)
  async list(): Promise<{ items: accessContracts.Role[] }> {
    return { items: await this.roles.list() };
  }

  /** Makes or replaces a custom role. */
  @Serves(accessContracts.putRole)
  put({ actor, ...asked }: NewRole & { actor: Actor }): Promise<{ role: accessContracts.Role; directory: SnapshotVersion }> {
    return this.roles.put(actor, asked);
  }

  /** Deletes a custom role. */
  @Serves(accessContracts.deleteRole)
  async delete({ actor, name }: { actor: Actor; name: string }): Promise<{ deleted: true }> {
    await this.roles.delete(actor, name);
    return { deleted: true };
  }
}
