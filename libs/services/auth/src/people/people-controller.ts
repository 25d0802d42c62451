import { Serves } from '@gatehouse/bus';
import { authContracts, type Actor } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { People, type ChangedPerson, type NewPerson, type PersonUpdate } from './people.js';

/** Answers for people. */
@Controller()
export class PeopleController {
  constructor(private readonly people: People) {}

  /** Adds a person. */
  @Serves(authContracts.createPerson)
  create({ actor, ...asked }: NewPerson & { actor: Actor }): Promise<authContracts.Person> {
    return this.people.create(actor, asked);
  }

  /** Changes a person. */
  @Serves(authContracts.updatePerson)
  update({ actor, ...asked }: PersonUpdate & { actor: Actor }): Promise<ChangedPerson> {
    return this.people.update(actor, asked);
  }

  /** All people. */
  @Serves(authContracts.listPeople)
  async list(): Promise<{ items: authContracts.Person[] }> {
    return { items: await this.people.list() };
  }

  /** Disables a person. */
  @Serves(authContracts.disablePerson)
  disable({ actor, personId }: { actor: Actor; personId: string }): Promise<ChangedPerson> {
    return this.people.disable(actor, personId);
  }

  /** Enables a person. */
  @Serves(authContracts.enablePerson)
  enable({ actor, personId }: { actor: Actor; personId: string }): Promise<ChangedPerson> {
    return this.people.enable(actor, personId);
  }
}
