import { Controller, Get, Inject, Query } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, auditContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

/** `/api/v1/audit/records`: what happened. */
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get('records')
  @Needs('audit.read')
  @Operation({
    summary: 'Records, the newest first, or with follow in the order in which they were kept',
    query: api.recordQuery,
    answer: api.recordPage,
    errors: auditContracts.queryRecords.errors,
  })
  records(@Query() query: z.output<typeof api.recordQuery>) {
    const { cursor, follow, limit, waitMs, ...filter } = query;
    return this.bus.request(auditContracts.queryRecords, { filter, follow, limit, waitMs, cursor: cursor ?? null });
  }
}
