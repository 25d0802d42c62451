import { Body, Controller, Delete, Get, Inject, Param, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, signInContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { name: PATH.issuer };
const { deleteTokenIssuer, listTokenIssuers, putTokenIssuer, tokenIssuer } = signInContracts;

/** `/api/v1/token-issuers`: the company's authorization servers whose access tokens edges accept. */
@Controller('api/v1/token-issuers')
@Needs('sso.manage')
export class TokenIssuersController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: 'All trusted token issuers', answer: api.tokenIssuerPage })
  async list() {
    const { items } = await this.bus.request(listTokenIssuers, {});
    return { items, nextCursor: null };
  }

  @Put(':name')
  @Operation({ summary: 'Trust an issuer, once its keys could be fetched', path, body: api.tokenIssuerBody, answer: tokenIssuer, errors: putTokenIssuer.errors })
  async put(@Param('name') name: string, @Body() body: z.output<typeof api.tokenIssuerBody>, @Req() request: AdminRequest) {
    const put = await this.bus.request(putTokenIssuer, { actor: actorOf(request), name, ...body });
    await this.waits.directoryReached(put.directory);
    return put.tokenIssuer;
  }

  @Delete(':name')
  @Operation({ summary: 'Stop trusting an issuer', path, answer: NOTHING, errors: deleteTokenIssuer.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    const { directory } = await this.bus.request(deleteTokenIssuer, { actor: actorOf(request), name });
    await this.waits.directoryReached(directory);
  }
}
