import { Body, Controller, Delete, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, clientContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { clientSecretOf } from './shown-once.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { id: PATH.client };
const { createClient, decideClient, deleteClient, listClients, oauthClient } = clientContracts;

/** `/api/v1/clients`: the OAuth clients that came by themselves or were registered here. */
@Controller('api/v1/clients')
@Needs('clients.manage')
export class ClientsController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EDGE) private readonly edge: Edge,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: 'All clients', answer: api.clientPage })
  async list() {
    const { items } = await this.bus.request(listClients, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Operation({ summary: 'Register a client by hand', body: api.clientBody, answer: api.createdClient, status: 201, errors: createClient.errors })
  async create(@Body() body: z.output<typeof api.clientBody>, @Req() request: AdminRequest) {
    const edgeKey = this.edge.keys.pair.publicKey;
    const { client, sealedSecret } = await this.bus.request(createClient, { actor: actorOf(request), ...body, edgeKey });
    return { ...client, secret: clientSecretOf(client.id, sealedSecret, this.edge) };
  }

  @Post(':id/allow')
  @Operation({ summary: 'Let a client in', path, answer: oauthClient, errors: decideClient.errors })
  allow(@Param('id') id: string, @Req() request: AdminRequest) {
    return this.#decide(id, 'allowed', request);
  }

  @Post(':id/deny')
  @Operation({ summary: 'Keep a client out: its grants are over', path, answer: oauthClient, errors: decideClient.errors })
  deny(@Param('id') id: string, @Req() request: AdminRequest) {
    return this.#decide(id, 'denied', request);
  }

  @Delete(':id')
  @Operation({ summary: 'Remove a client and every grant of it', path, answer: NOTHING, errors: deleteClient.errors })
  async remove(@Param('id') id: string, @Req() request: AdminRequest): Promise<void> {
    const { directory } = await this.bus.request(deleteClient, { actor: actorOf(request), id });
    await this.waits.directoryReached(directory);
  }

  async #decide(id: string, status: 'allowed' | 'denied', request: AdminRequest): Promise<clientContracts.OauthClient> {
    const { client, directory } = await this.bus.request(decideClient, { actor: actorOf(request), id, status });
    await this.waits.directoryReached(directory);
    return client;
  }
}
