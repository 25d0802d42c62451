import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { HealthChecks } from '@gatehouse/telemetry';
import { Refusal } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import type { AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';

/** DI token of the health checks. */
export const HEALTH = Symbol('HEALTH');

/** Who am I, and is this instance well. */
@Controller()
export class SystemController {
  constructor(@Inject(HEALTH) private readonly health: HealthChecks) {}

  @Get('api/v1/whoami')
  @Needs('signed-in')
  whoami(@Req() { caller }: AdminRequest) {
    if (caller === undefined) throw new Refusal('unauthenticated', { tokenSent: false });
    const { id, name, email, roles, teams, capabilities } = caller.account;
    return { person: { id, name, email }, roles, teams, capabilities, scopes: [...caller.scopes] };
  }

  @Get('livez')
  @Needs('nobody')
  livez() {
    return { status: 'live' };
  }

  @Get('readyz')
  @Needs('nobody')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply) {
    const report = await this.health.report();
    void reply.status(report.ready ? 200 : 503);
    return report;
  }

  @Get('startupz')
  @Needs('nobody')
  startupz(@Res({ passthrough: true }) reply: FastifyReply) {
    return this.readyz(reply);
  }
}
