import { Controller, Get, Inject } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, catalogueContracts } from '@gatehouse/contracts';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

/** `/api/v1/catalogue`: well-known remote servers. */
@Controller('api/v1/catalogue')
export class CatalogueController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get()
  @Needs('servers.read')
  @Operation({ summary: 'Well-known remote servers, each of which can be registered by its name', answer: api.cataloguePage })
  async list() {
    const { items } = await this.bus.request(catalogueContracts.listCatalogue, {});
    return { items, nextCursor: null };
  }
}
