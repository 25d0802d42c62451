import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { api } from '@gatehouse/contracts';
import type { HealthChecks } from '@gatehouse/telemetry';
import { Refusal } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

/** DI token of the health checks. */
export const HEALTH = Symbol('HEALTH');

const live = z.strictObject({ status: z.literal('live') });
const readiness = z.strictObject({ ready: z.boolean(), missing: z.array(z.strictObject({ name: z.string(), reason: z.string() })) });

/** Who am I, and is this instance well. */
@Controller()
export class SystemController {
  constructor(@Inject(HEALTH) private readonly health: HealthChecks) {}

  @Get('api/v1/whoami')
  @Needs('signed-in')
  @Operation({ summary: 'Who the token belongs to and what it may do', answer: api.whoami })
  whoami(@Req() { caller }: AdminRequest) {
    if (caller === undefined) throw new Refusal('unauthenticated', { tokenSent: false });
    const { id, kind, name, email, roles, teams, capabilities } = caller.account;
    return { id, kind, name, email, roles, teams, capabilities, scopes: [...caller.scopes], clientId: caller.clientId };
  }

  @Get('livez')
  @Needs('nobody')
  @Operation({ summary: 'Whether the process lives', answer: live })
  livez() {
    return { status: 'live' as const };
  }

  @Get('readyz')
  @Needs('nobody')
  @Operation({ summary: 'Whether it can serve, and what is missing', answer: readiness })
  async readyz(@Res({ passthrough: true }) reply: FastifyReply) {
    const report = await this.health.report();
    void reply.status(report.ready ? 200 : 503);
    return report;
  }

  @Get('startupz')
  @Needs('nobody')
  @Operation({ summary: 'Whether the start is done', answer: readiness })
  startupz(@Res({ passthrough: true }) reply: FastifyReply) {
    return this.readyz(reply);
  }
}
