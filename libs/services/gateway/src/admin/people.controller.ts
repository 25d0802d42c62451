import { Body, Controller, Get, Inject, Param, Patch, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, authContracts, signInContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { openSealed, Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const path = { id: PATH.person };

/** `/api/v1/people`: who may sign in and be given tokens. */
@Controller('api/v1/people')
export class PeopleController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EDGE) private readonly edge: Edge,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('people.read')
  @Operation({ summary: 'All people', answer: api.peoplePage })
  async list() {
    const { items } = await this.bus.request(authContracts.listPeople, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('people.manage')
  @Operation({ summary: 'Add a person', body: api.personBody, answer: authContracts.person, status: 201, errors: authContracts.createPerson.errors })
  add(@Body() body: z.output<typeof api.personBody>, @Req() request: AdminRequest) {
    return this.bus.request(authContracts.createPerson, { actor: actorOf(request), ...body });
  }

  @Get(':id')
  @Needs('people.read')
  @Operation({ summary: 'One person', path, answer: authContracts.person })
  async show(@Param('id') id: string) {
    const { items } = await this.bus.request(authContracts.listPeople, {});
    const person = items.find((each) => each.id === id);
    if (person === undefined) throw new Refusal('not_found');
    return person;
  }

  @Patch(':id')
  @Needs('people.manage')
  @Operation({ summary: 'Change a person: what is left out stays', path, body: api.personChange, answer: authContracts.person, errors: authContracts.updatePerson.errors })
  change(@Param('id') id: string, @Body() body: z.output<typeof api.personChange>, @Req() request: AdminRequest) {
    return this.#inForce(this.bus.request(authContracts.updatePerson, { actor: actorOf(request), personId: id, ...body }));
  }

  @Post(':id/disable')
  @Needs('people.manage')
  @Operation({ summary: 'Disable a person: tokens, grants, sign-ins and streams of theirs are over', path, answer: authContracts.person, errors: authContracts.disablePerson.errors })
  disable(@Param('id') id: string, @Req() request: AdminRequest) {
    return this.#inForce(this.bus.request(authContracts.disablePerson, { actor: actorOf(request), personId: id }));
  }

  @Post(':id/enable')
  @Needs('people.manage')
  @Operation({ summary: 'Let a disabled person sign in again; what was revoked stays revoked', path, answer: authContracts.person, errors: authContracts.enablePerson.errors })
  enable(@Param('id') id: string, @Req() request: AdminRequest) {
    return this.#inForce(this.bus.request(authContracts.enablePerson, { actor: actorOf(request), personId: id }));
  }

  @Post(':id/sign-in-link')
  @Needs('people.manage')
  @Operation({
    summary: 'Make a link that signs a person in once, where local accounts are on; never for somebody who holds more',
    path,
    answer: api.signInLink,
    status: 201,
    errors: signInContracts.createSignInLink.errors,
  })
  async signInLink(@Param('id') id: string, @Req() request: AdminRequest) {
    const { keys, resources } = this.edge;
    const { sealedPath, expiresAt } = await this.bus.request(signInContracts.createSignInLink, { actor: actorOf(request), personId: id, edgeKey: keys.pair.publicKey });
    return { url: resources.issuer + openSealed(keys.pair, sealedPath, signInContracts.signInLinkContext(id)).toString('utf8'), expiresAt };
  }

  async #inForce(change: Promise<{ person: authContracts.Person; directory: SnapshotVersion }>): Promise<authContracts.Person> {
    const { person, directory } = await change;
    await this.waits.directoryReached(directory);
    return person;
  }
}
