import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, identityContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { IdentityDesk } from './identity-desk.js';
import { shownIdentity } from './identity-view.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';

const path = { id: PATH.identity };
const { createIdentity, identity, listIdentities, preferIdentity, removeIdentity, replaceIdentityHeaders, shareIdentity } = identityContracts;

/** `/api/v1/identities`: accounts at servers; one's own for everybody, the organisation's with `identities.manage`. */
@Controller('api/v1/identities')
@Needs('signed-in')
export class IdentitiesController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly desk: IdentityDesk,
  ) {}

  @Get()
  @Operation({ summary: "One's own identities and the organisation's; everybody's with identities.read and all=true", query: api.identityQuery, answer: api.identityPage, errors: ['capability_missing'] })
  async list(@Query() { server, all }: z.output<typeof api.identityQuery>, @Req() request: AdminRequest) {
    const owners = this.desk.listedOwners(request, all);
    const lists = await Promise.all(owners.map((owner) => this.bus.request(listIdentities, { owner, server: server ?? null })));
    return { items: lists.flatMap(({ items }) => items).map((each) => shownIdentity(each, request)), nextCursor: null };
  }

  @Post()
  @Operation({
    summary: 'Store secret headers as an identity; a global one needs identities.manage',
    body: api.identityBody,
    answer: identity,
    status: 201,
    errors: [...createIdentity.errors, 'capability_missing'],
  })
  create(@Body() body: z.output<typeof api.identityBody>, @Req() request: AdminRequest) {
    return this.desk.create(body, request);
  }

  @Put(':id/headers')
  @Operation({ summary: 'Put new secret headers in place of those it holds', path, body: api.identityHeadersBody, answer: identity, errors: replaceIdentityHeaders.errors })
  replaceHeaders(@Param('id') id: string, @Body() { headers }: z.output<typeof api.identityHeadersBody>, @Req() request: AdminRequest) {
    return this.desk.replaceHeaders(id, headers, request);
  }

  @Post(':id/prefer')
  @Operation({ summary: 'Use this one where its owner has several', path, answer: identity, errors: preferIdentity.errors })
  async prefer(@Param('id') identityId: string, @Req() request: AdminRequest) {
    const ownedBy = await this.desk.changeableBy(identityId, request);
    return this.desk.inForce(this.bus.request(preferIdentity, { actor: actorOf(request), identityId, ownedBy }));
  }

  @Post(':id/share')
  @Needs('identities.manage')
  @Operation({ summary: "Make one's own identity the organisation's: everybody the server is open to calls with it", path, answer: identity, errors: shareIdentity.errors })
  share(@Param('id') identityId: string, @Req() request: AdminRequest) {
    const actor = actorOf(request);
    return this.desk.inForce(this.bus.request(shareIdentity, { actor, identityId, ownedBy: actor.callerId }));
  }

  @Delete(':id')
  @Operation({ summary: "End an identity, where that is possible at its provider too, and destroy it; others' need identities.manage", path, answer: NOTHING, errors: removeIdentity.errors })
  async remove(@Param('id') identityId: string, @Req() request: AdminRequest): Promise<void> {
    const ownedBy = this.desk.removableBy(request);
    await this.desk.inForce(this.bus.request(removeIdentity, { actor: actorOf(request), identityId, ownedBy }));
  }
}
