import type { Actor, authContracts } from '@gatehouse/contracts';
import { newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { revokeAllOf } from '../tokens/token-rows.js';
import { allPeople, findPerson, insertPerson, markDisabled, otherAdministrator } from './person-rows.js';

type Person = authContracts.Person;

/** Who someone is: everything but what we make ourselves. */
export type NewPerson = Pick<Person, 'name' | 'email' | 'roles' | 'teams'>;

/** What `People` works with. */
export interface PeopleParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/** The people who may be given tokens. */
export class People {
  private readonly clock: Clock;

  constructor(private readonly parts: PeopleParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Everyone, the disabled too. */
  list(): Promise<Person[]> {
    return allPeople(this.parts.db);
  }

  /** Adds a person; a taken e-mail address is refused with `conflict`. */
  async create(by: Actor, { name, email, roles, teams }: NewPerson): Promise<Person> {
    const person: Person = {
      id: newId('person', this.clock),
      name,
      email,
      roles: [...new Set(roles)],
      teams: [...new Set(teams)],
      status: 'active',
      createdAt: this.clock.now(),
    };
    await this.parts.changes.apply(async (tx) => {
      await insertPerson(tx, person);
      return { result: person, changed: true };
    });
    this.parts.log.info({ actorId: by.personId, personId: person.id }, 'person created');
    return person;
  }

  /**
   * Takes a person out of the directory and revokes every token of theirs, for good. Refuses with
   * `not_found`, and with `conflict` for the last active administrator: nobody could undo it.
   * Disabling twice is fine.
   */
  async disable(by: Actor, id: string): Promise<Person> {
    const { result, changed } = await this.parts.changes.apply(async (tx) => {
      const person = await findPerson(tx, id);
      if (person === undefined) throw new Refusal('not_found');
      if (person.status === 'disabled') return { result: person, changed: false };
      if (!(await otherAdministrator(tx, id))) throw new Refusal('conflict', { reason: 'last_administrator' });
      await markDisabled(tx, id);
      await revokeAllOf(tx, id, this.clock.now());
      return { result: { ...person, status: 'disabled' as const }, changed: true };
    });
    if (changed) this.parts.log.info({ actorId: by.personId, personId: id }, 'person disabled');
    return result;
  }
}
