import { authContracts, type accessContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { refuseMoreThanHeld } from './refuse-more-than-held.js';
import { isBuiltIn } from './role-capabilities.js';
import { BUILT_IN_ROLES, customRoleRows, isRoleGiven, removeRole, upsertRole } from './role-rows.js';

type Role = accessContracts.Role;

/** What a custom role is made of. */
export type NewRole = Pick<Role, 'name' | 'description' | 'capabilities'>;

/** What `Roles` works with. */
export interface RolesParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/** Named sets of capabilities: the built-in ones, which never change, and the company's own. */
export class Roles {
  private readonly clock: Clock;

  constructor(private readonly parts: RolesParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** All roles, the built-in ones first. */
  async list(): Promise<Role[]> {
    return [...BUILT_IN_ROLES, ...(await customRoleRows(this.parts.db))];
  }

  /**
   * Makes or replaces a custom role, for everybody who has it. Refuses with `conflict` the name of a
   * built-in one, with `bad_request` a capability that is none, and with `capability_missing` to give
   * or to take what the actor does not have.
   */
  async put(by: Actor, asked: NewRole): Promise<{ role: Role; directory: SnapshotVersion }> {
    refuseBuiltIn(asked.name);
    const role: Role = { ...asked, capabilities: knownCapabilities(asked.capabilities), builtIn: false };
    const { directory, changed } = await this.parts.changes.apply(async (tx) => {
      await refuseMoreThanHeld(tx, by, { roles: [role.name], capabilities: role.capabilities });
      const before = (await customRoleRows(tx)).find(({ name }) => name === role.name);
      await upsertRole(tx, role, this.clock.now());
      return { result: role, changed: before?.capabilities.join() !== role.capabilities.join() };
    });
    if (changed) this.parts.log.info({ actorId: by.callerId, role: role.name, capabilities: role.capabilities }, 'role put');
    return { role, directory };
  }

  /** Deletes a custom role. Refuses with `conflict` a built-in one and one that somebody has, with `not_found`, and as `put` does. */
  async delete(by: Actor, name: string): Promise<void> {
    refuseBuiltIn(name);
    await this.parts.changes.apply(async (tx) => {
      const role = (await customRoleRows(tx)).find((one) => one.name === name);
      if (role === undefined) throw new Refusal('not_found');
      await refuseMoreThanHeld(tx, by, { roles: [name] });
      if (await isRoleGiven(tx, name)) throw new Refusal('conflict', { reason: 'in_use' });
      await removeRole(tx, name);
      return { result: role, changed: false };
    });
    this.parts.log.info({ actorId: by.callerId, role: name }, 'role deleted');
  }
}

function refuseBuiltIn(name: string): void {
  if (isBuiltIn(name)) throw new Refusal('conflict', { reason: 'built_in' });
}

function knownCapabilities(asked: readonly string[]): string[] {
  const all: readonly string[] = authContracts.CAPABILITIES;
  const unknown = asked.find((capability) => !all.includes(capability));
  if (unknown !== undefined) throw new Refusal('bad_request', { field: 'capabilities', problem: 'is no capability', capability: unknown });
  return all.filter((capability) => asked.includes(capability));
}
