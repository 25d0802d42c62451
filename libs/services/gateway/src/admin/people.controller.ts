import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, authContracts, personId } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { parsed } from './parsed.js';

/** `/api/v1/people`: who may be given tokens. */
@Controller('api/v1/people')
export class PeopleController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get()
  @Needs('people.manage')
  async list() {
    const { items } = await this.bus.request(authContracts.listPeople, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('people.manage')
  add(@Body() body: unknown, @Req() request: AdminRequest) {
    return this.bus.request(authContracts.createPerson, { actor: actorOf(request), ...parsed(api.personBody, body) });
  }

  @Post(':id/disable')
  @HttpCode(200)
  @Needs('people.manage')
  disable(@Param('id') id: string, @Req() request: AdminRequest) {
    if (!personId.safeParse(id).success) throw new Refusal('not_found');
    return this.bus.request(authContracts.disablePerson, { actor: actorOf(request), personId: id });
  }
}
