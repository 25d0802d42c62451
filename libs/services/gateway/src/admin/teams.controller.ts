import { Body, Controller, Delete, Get, Inject, Param, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { accessContracts, api } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { name: PATH.team };

/** `/api/v1/teams`: people by name and by group, and the roles that all of them have. */
@Controller('api/v1/teams')
export class TeamsController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('people.read')
  @Operation({ summary: 'All teams', answer: api.teamPage })
  async list() {
    const { items } = await this.bus.request(accessContracts.listTeams, {});
    return { items, nextCursor: null };
  }

  @Put(':name')
  @Needs('people.manage')
  @Operation({ summary: 'Make a team, or replace its roles and groups', path, body: api.teamBody, answer: accessContracts.team, errors: accessContracts.putTeam.errors })
  async put(@Param('name') name: string, @Body() body: z.output<typeof api.teamBody>, @Req() request: AdminRequest) {
    const { team, directory } = await this.bus.request(accessContracts.putTeam, { actor: actorOf(request), name, ...body });
    await this.waits.directoryReached(directory);
    return team;
  }

  @Delete(':name')
  @Needs('people.manage')
  @Operation({ summary: 'Delete a team: its people lose what it gave them', path, answer: NOTHING, errors: accessContracts.deleteTeam.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    const { directory } = await this.bus.request(accessContracts.deleteTeam, { actor: actorOf(request), name });
    await this.waits.directoryReached(directory);
  }
}
