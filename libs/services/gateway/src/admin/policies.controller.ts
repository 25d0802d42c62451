import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, policyContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { name: PATH.policy };
const { applyPolicies, deletePolicy, getPolicy, listPolicies, policy, policyAnswer, testPolicy } = policyContracts;

/** `/api/v1/policies`: what is allowed. */
@Controller('api/v1/policies')
export class PoliciesController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('policies.read')
  @Operation({ summary: 'All policies', answer: api.policyPage })
  async list() {
    const { items } = await this.bus.request(listPolicies, {});
    return { items, nextCursor: null };
  }

  @Post('apply')
  @Needs('policies.manage')
  @Operation({ summary: 'Write policies: all of them or none', body: api.applyBody, answer: api.appliedPolicies, errors: applyPolicies.errors })
  apply(@Body() { policies }: z.output<typeof api.applyBody>, @Req() request: AdminRequest) {
    return this.#apply(policies, request);
  }

  @Post('test')
  @Needs('policies.read')
  @Operation({ summary: 'Ask what policies would decide', body: api.testBody, answer: policyAnswer, errors: testPolicy.errors })
  test(@Body() body: z.output<typeof api.testBody>) {
    return this.bus.request(testPolicy, body);
  }

  @Get(':name')
  @Needs('policies.read')
  @Operation({ summary: 'One policy', path, answer: policy, errors: getPolicy.errors })
  show(@Param('name') name: string) {
    return this.bus.request(getPolicy, { name });
  }

  @Put(':name')
  @Needs('policies.manage')
  @Operation({ summary: 'Write one policy', path, body: api.policyBody, cedar: true, answer: policy, errors: applyPolicies.errors })
  async put(@Param('name') name: string, @Body() { text }: z.output<typeof api.policyBody>, @Req() request: AdminRequest) {
    const applied = await this.#apply([{ name, text }], request);
    return applied.items[0]!;
  }

  @Delete(':name')
  @Needs('policies.manage')
  @Operation({ summary: 'Take a policy out of force', path, answer: NOTHING, errors: deletePolicy.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    const { snapshot } = await this.bus.request(deletePolicy, { actor: actorOf(request), name });
    await this.waits.policyReached(snapshot);
  }

  async #apply(policies: { name: string; text: string }[], request: AdminRequest): Promise<z.output<typeof api.appliedPolicies>> {
    const applied = await this.bus.request(applyPolicies, { actor: actorOf(request), policies });
    return { ...applied, active: await this.waits.policyReached(applied.snapshot) };
  }
}
