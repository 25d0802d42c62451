import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, policyContracts, policyName, type SnapshotVersion } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { parsed } from './parsed.js';
import { SnapshotWaits } from './snapshot-waits.js';

/** `/api/v1/policies`: what is allowed. */
@Controller('api/v1/policies')
export class PoliciesController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('policies.read')
  async list() {
    const { items } = await this.bus.request(policyContracts.listPolicies, {});
    return { items, nextCursor: null };
  }

  @Post('apply')
  @HttpCode(200)
  @Needs('policies.manage')
  async apply(@Body() body: unknown, @Req() request: AdminRequest) {
    return this.#apply(parsed(api.applyBody, body).policies, request);
  }

  @Post('test')
  @HttpCode(200)
  @Needs('policies.read')
  test(@Body() body: unknown) {
    return this.bus.request(policyContracts.testPolicy, parsed(api.testBody, body));
  }

  @Get(':name')
  @Needs('policies.read')
  show(@Param('name') name: string) {
    return this.bus.request(policyContracts.getPolicy, { name: known(name) });
  }

  @Put(':name')
  @Needs('policies.manage')
  async put(@Param('name') name: string, @Body() body: unknown, @Req() request: AdminRequest) {
    const text = typeof body === 'string' ? body : parsed(api.policyBody, body).text;
    const applied = await this.#apply([parsed(api.applyBody.shape.policies.element, { name, text })], request);
    return applied.items[0];
  }

  @Delete(':name')
  @HttpCode(204)
  @Needs('policies.manage')
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    const { snapshot } = await this.bus.request(policyContracts.deletePolicy, { actor: actorOf(request), name: known(name) });
    await this.waits.policyReached(snapshot);
  }

  async #apply(policies: { name: string; text: string }[], request: AdminRequest): Promise<{ items: policyContracts.Policy[]; snapshot: SnapshotVersion; active: boolean }> {
    const applied = await this.bus.request(policyContracts.applyPolicies, { actor: actorOf(request), policies });
    return { ...applied, active: await this.waits.policyReached(applied.snapshot) };
  }
}

function known(name: string): string {
  const result = policyName.safeParse(name);
  if (!result.success) throw new Refusal('not_found');
  return result.data;
}
