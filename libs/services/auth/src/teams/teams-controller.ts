import { Serves } from '@gatehouse/bus';
import { accessContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Teams, type NewTeam } from './teams.js';

/** Answers for teams. */
@Controller()
export class TeamsController {
  constructor(private readonly teams: Teams) {}

  /** All teams. */
  @Serves(accessContracts.listTeams)
  async list(): Promise<{ items: accessContracts.Team[] }> {
    return { items: await this.teams.list() };
  }

  /** Makes or replaces a team. */
  @Serves(accessContracts.putTeam)
  put({ actor, ...asked }: NewTeam & { actor: Actor }): Promise<{ team: accessContracts.Team; directory: SnapshotVersion }> {
    return this.teams.put(actor, asked);
  }

  /** Deletes a team. */
  @Serves(accessContracts.deleteTeam)
  delete({ actor, name }: { actor: Actor; name: string }): Promise<{ directory: SnapshotVersion }> {
    return this.teams.delete(actor, name);
  }
}
