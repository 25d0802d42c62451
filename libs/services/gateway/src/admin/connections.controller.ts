import { Body, Controller, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, identityContracts, serverContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import type { AdminRequest } from './admin-guard.js';
import { IdentityDesk, personOf } from './identity-desk.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';
import { PATH } from './path-parameters.js';

const { getConnection, startConnect } = identityContracts;

/** `/api/v1/identities/connect`: links under which people connect accounts, and how it went. */
@Controller('api/v1/identities/connect')
@Needs('signed-in')
export class ConnectionsController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly desk: IdentityDesk,
  ) {}

  @Post()
  @Operation({
    summary: 'Make a link under which whoever asks connects an account, or types in its token; one for the organisation needs identities.manage',
    body: api.connectBody,
    answer: api.startedConnection,
    status: 201,
    errors: [...startConnect.errors, 'capability_missing'],
  })
  async start(@Body() { server, visibility, name, identity }: z.output<typeof api.connectBody>, @Req() request: AdminRequest) {
    const personId = personOf(request);
    const owner = this.desk.newOwner(visibility, request);
    const { id: serverId } = await this.bus.request(serverContracts.getServer, { name: server });
    return this.bus.request(startConnect, { personId, serverId, owner, name: name ?? null, identityId: identity ?? null, cause: 'asked' });
  }

  @Get(':id')
  @Operation({ summary: 'How a connection went; for who started it alone', path: { id: PATH.connection }, answer: api.shownConnection, errors: getConnection.errors })
  show(@Param('id') id: string, @Req() request: AdminRequest) {
    return this.bus.request(getConnection, { id, personId: personOf(request) });
  }
}
