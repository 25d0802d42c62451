import { Controller, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, clientContracts } from '@gatehouse/contracts';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { ownOrAll } from './own-or-all.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

/** `/api/v1/grants`: what clients were given; one's own for everybody, all of them with `clients.manage`. */
@Controller('api/v1/grants')
@Needs('signed-in')
export class GrantsController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: "One's own live grants, or everybody's with clients.manage", answer: api.grantPage })
  async list(@Req() request: AdminRequest) {
    const { items } = await this.bus.request(clientContracts.listGrants, { callerId: ownOrAll(request, 'clients.manage') });
    return { items, nextCursor: null };
  }

  @Post(':id/revoke')
  @Operation({ summary: 'End a grant: its tokens are refused at once', path: { id: PATH.grant }, answer: NOTHING, errors: clientContracts.revokeGrant.errors })
  async revoke(@Param('id') id: string, @Req() request: AdminRequest): Promise<void> {
    const ownedBy = ownOrAll(request, 'clients.manage');
    const { directory } = await this.bus.request(clientContracts.revokeGrant, { actor: actorOf(request), id, ownedBy });
    await this.waits.directoryReached(directory);
  }
}
