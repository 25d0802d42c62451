import type { accessContracts, Actor, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { refuseUnknownRoles } from '../roles/known-roles.js';
import { keepAnAdministrator } from '../roles/last-administrator.js';
import { refuseMoreThanHeld } from '../roles/refuse-more-than-held.js';
import { addMissingTeams, allTeams, findTeam, removeTeam, updateTeam } from './team-rows.js';

type Team = accessContracts.Team;

/** What a team gives, and to which groups. */
export type NewTeam = Pick<Team, 'name' | 'roles' | 'groups'>;

/** What `Teams` works with. */
export interface TeamsParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/** Teams: people by name and by group, and the roles that all of them have. */
export class Teams {
  private readonly clock: Clock;

  constructor(private readonly parts: TeamsParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** All teams. */
  list(): Promise<Team[]> {
    return allTeams(this.parts.db);
  }

  /**
   * Makes or replaces a team. Refuses with `bad_request` an unknown role, with `capability_missing`
   * to give a role, to map a group to one, or to take one, that holds more than the actor, and with
   * `conflict`, reason `last_administrator`, when nobody would be left.
   */
  async put(by: Actor, { name, roles, groups }: NewTeam): Promise<{ team: Team; directory: SnapshotVersion }> {
    const wanted = { name, roles: [...new Set(roles)], groups };
    const { result, directory, changed } = await this.parts.changes.apply(async (tx) => {
      const before = await findTeam(tx, name);
      await refuseMoreThanHeld(tx, by, { roles: [...wanted.roles, ...(before?.roles ?? [])] });
      await refuseUnknownRoles(tx, wanted.roles.filter((role) => before?.roles.includes(role) !== true));
      await addMissingTeams(tx, [name], this.clock.now());
      await keepAnAdministrator(tx, () => updateTeam(tx, wanted));
      const result = (await findTeam(tx, name))!;
      return { result, changed: JSON.stringify(before) !== JSON.stringify(result) };
    });
    if (changed) this.parts.log.info({ actorId: by.callerId, team: name, roles: wanted.roles, groups: groups.length }, 'team put');
    return { team: result, directory };
  }

  /** Deletes a team; its people lose what it gave them. Refuses with `not_found`, and as `put` does. */
  async delete(by: Actor, name: string): Promise<{ directory: SnapshotVersion }> {
    const { directory } = await this.parts.changes.apply(async (tx) => {
      const team = await existing(tx, name);
      await refuseMoreThanHeld(tx, by, { roles: team.roles });
      await keepAnAdministrator(tx, () => removeTeam(tx, name));
      return { result: team, changed: true };
    });
    this.parts.log.info({ actorId: by.callerId, team: name }, 'team deleted');
    return { directory };
  }
}

async function existing(tx: Transaction, name: string): Promise<Team> {
  const team = await findTeam(tx, name);
  if (team === undefined) throw new Refusal('not_found');
  return team;
}
