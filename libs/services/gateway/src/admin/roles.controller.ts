import { Body, Controller, Delete, Get, Inject, Param, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { accessContracts, api } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { name: PATH.role };

/** `/api/v1/roles`: named sets of capabilities. */
@Controller('api/v1/roles')
export class RolesController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('people.read')
  @Operation({ summary: 'All roles, the built-in ones first', answer: api.rolePage })
  async list() {
    const { items } = await this.bus.request(accessContracts.listRoles, {});
    return { items, nextCursor: null };
  }

  @Put(':name')
  @Needs('roles.manage')
  @Operation({ summary: 'Make or replace a custom role', path, body: api.roleBody, answer: accessContracts.role, errors: accessContracts.putRole.errors })
  async put(@Param('name') name: string, @Body() body: z.output<typeof api.roleBody>, @Req() request: AdminRequest) {
    const { role, directory } = await this.bus.request(accessContracts.putRole, { actor: actorOf(request), name, ...body });
    await this.waits.directoryReached(directory);
    return role;
  }

  @Delete(':name')
  @Needs('roles.manage')
  @Operation({ summary: 'Delete a custom role that nobody has', path, answer: NOTHING, errors: accessContracts.deleteRole.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    await this.bus.request(accessContracts.deleteRole, { actor: actorOf(request), name });
  }
}
