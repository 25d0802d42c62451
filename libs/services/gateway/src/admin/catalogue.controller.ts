import { Body, Controller, Get, Inject, Post, Query, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, catalogueContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { CatalogueImport } from './catalogue-import.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

/** `/api/v1/catalogue`: well-known remote servers. */
@Controller('api/v1/catalogue')
export class CatalogueController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly imports: CatalogueImport,
  ) {}

  @Get()
  @Needs('servers.read')
  @Operation({ summary: 'Well-known remote servers, each of which can be registered by its name', query: api.catalogueQuery, answer: api.cataloguePage })
  async list(@Query() { cursor, limit }: z.output<typeof api.catalogueQuery>) {
    const { items } = await this.bus.request(catalogueContracts.listCatalogue, { after: cursor ?? null, limit });
    return { items, nextCursor: items.length < limit ? null : items.at(-1)!.name };
  }

  @Post('import')
  @Needs('servers.manage')
  @Operation({
    summary: 'Take over what an MCP Registry has, in place of what an earlier import from it brought',
    body: api.importBody,
    answer: api.importedEntries,
    errors: ['url_refused', 'upstream_unreachable', 'upstream_refused', 'upstream_invalid', 'upstream_too_large', 'upstream_timeout'],
    status: 200,
  })
  import(@Body() body: z.output<typeof api.importBody>, @Req() request: AdminRequest) {
    return this.imports.run(body, actorOf(request));
  }
}
