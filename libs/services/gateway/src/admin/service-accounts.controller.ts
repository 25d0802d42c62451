import { Body, Controller, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { accessContracts, api, type SnapshotVersion } from '@gatehouse/contracts';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { clientSecretOf } from './shown-once.js';
import { SnapshotWaits } from './snapshot-waits.js';

type Proof = { serviceAccount: accessContracts.ServiceAccount; sealedSecret: string | null; directory: SnapshotVersion };

const path = { id: PATH.serviceAccount };
const { createServiceAccount, disableServiceAccount, replaceServiceAccountAuth } = accessContracts;

/** `/api/v1/service-accounts`: callers that are no people. A secret is shown where it is made and never again. */
@Controller('api/v1/service-accounts')
export class ServiceAccountsController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EDGE) private readonly edge: Edge,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('people.read')
  @Operation({ summary: 'All service accounts', answer: api.serviceAccountPage })
  async list() {
    const { items } = await this.bus.request(accessContracts.listServiceAccounts, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('people.manage')
  @Operation({ summary: 'Add a service account', body: api.serviceAccountBody, answer: api.createdServiceAccount, status: 201, errors: createServiceAccount.errors })
  create(@Body() body: z.output<typeof api.serviceAccountBody>, @Req() request: AdminRequest) {
    const edgeKey = this.edge.keys.pair.publicKey;
    return this.#shown(this.bus.request(createServiceAccount, { actor: actorOf(request), ...body, edgeKey }));
  }

  @Post(':id/auth')
  @Needs('people.manage')
  @Operation({
    summary: 'Give a service account a new secret or new keys; the old ones stop at once',
    path,
    body: api.serviceAccountAuthBody,
    answer: api.createdServiceAccount,
    errors: replaceServiceAccountAuth.errors,
  })
  replaceAuth(@Param('id') id: string, @Body() { auth }: z.output<typeof api.serviceAccountAuthBody>, @Req() request: AdminRequest) {
    const edgeKey = this.edge.keys.pair.publicKey;
    return this.#shown(this.bus.request(replaceServiceAccountAuth, { actor: actorOf(request), id, auth, edgeKey }));
  }

  @Post(':id/disable')
  @Needs('people.manage')
  @Operation({ summary: 'Disable a service account for good', path, answer: accessContracts.serviceAccount, errors: disableServiceAccount.errors })
  async disable(@Param('id') id: string, @Req() request: AdminRequest) {
    const { serviceAccount, directory } = await this.bus.request(disableServiceAccount, { actor: actorOf(request), id });
    await this.waits.directoryReached(directory);
    return serviceAccount;
  }

  async #shown(change: Promise<Proof>): Promise<z.output<typeof api.createdServiceAccount>> {
    const { serviceAccount, sealedSecret, directory } = await change;
    await this.waits.directoryReached(directory);
    return { ...serviceAccount, secret: clientSecretOf(serviceAccount.id, sealedSecret, this.edge) };
  }
}
