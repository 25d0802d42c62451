import { Body, Controller, Get, Inject, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, clientContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';
import { SnapshotWaits } from './snapshot-waits.js';

const { listSigningKeys, rotateSigningKey } = clientContracts;

/** `/api/v1/signing-keys`: what access tokens are signed and verified with. */
@Controller('api/v1/signing-keys')
@Needs('vault.rotate')
export class SigningKeysController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: 'The keys that access tokens are signed and verified with', answer: api.signingKeyPage, errors: listSigningKeys.errors })
  async list() {
    const { items } = await this.bus.request(listSigningKeys, {});
    return { items, nextCursor: null };
  }

  @Post('rotate')
  @Operation({ summary: 'Sign with the next key from now on', body: api.rotationBody, answer: api.signingKeyPage, errors: rotateSigningKey.errors })
  async rotate(@Body() { retireNow }: z.output<typeof api.rotationBody>, @Req() request: AdminRequest) {
    const { items, directory } = await this.bus.request(rotateSigningKey, { actor: actorOf(request), retireNow });
    await this.waits.directoryReached(directory);
    return { items, nextCursor: null };
  }
}
