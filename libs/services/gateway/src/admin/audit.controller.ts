import { Controller, Get, Inject, Query } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, auditContracts } from '@gatehouse/contracts';
import { Needs } from './needs.js';
import { parsed } from './parsed.js';

/** `/api/v1/audit/records`: what happened. */
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get('records')
  @Needs('audit.read')
  records(@Query() query: unknown) {
    const { cursor, follow, limit, waitMs, ...filter } = parsed(api.recordQuery, query);
    return this.bus.request(auditContracts.queryRecords, { filter, follow, limit, waitMs, cursor: cursor ?? null });
  }
}
