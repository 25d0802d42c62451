import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, signInContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { ServiceSecrets } from './service-secrets.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { name: PATH.issuer };
const { deleteIdentityProvider, identityProvider, listIdentityProviders, putIdentityProvider, testIdentityProvider } = signInContracts;

/** `/api/v1/identity-providers`: where people sign in. */
@Controller('api/v1/identity-providers')
@Needs('sso.manage')
export class IdentityProvidersController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly secrets: ServiceSecrets,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: 'All identity providers', answer: api.identityProviderPage })
  async list() {
    const { items } = await this.bus.request(listIdentityProviders, {});
    return { items, nextCursor: null };
  }

  @Post('test')
  @Operation({
    summary: 'Look whether a provider can be used; signs nobody in',
    body: api.identityProviderTest,
    answer: testIdentityProvider.reply,
    errors: testIdentityProvider.errors,
  })
  test(@Body() body: z.output<typeof api.identityProviderTest>) {
    return this.bus.request(testIdentityProvider, body);
  }

  @Put(':name')
  @Operation({ summary: 'Make or replace an identity provider', path, body: api.identityProviderBody, answer: identityProvider, errors: putIdentityProvider.errors })
  async put(@Param('name') name: string, @Body() body: z.output<typeof api.identityProviderBody>, @Req() request: AdminRequest) {
    const { clientSecret, ...settings } = body;
    const secret = clientSecret === undefined ? null : await this.secrets.seal(clientSecret);
    const put = await this.bus.request(putIdentityProvider, { actor: actorOf(request), name, ...settings, secret });
    await this.waits.directoryReached(put.directory);
    return put.identityProvider;
  }

  @Delete(':name')
  @Operation({ summary: 'Remove a provider: who signed in there is signed out', path, answer: NOTHING, errors: deleteIdentityProvider.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    const { directory } = await this.bus.request(deleteIdentityProvider, { actor: actorOf(request), name });
    await this.waits.directoryReached(directory);
  }
}
