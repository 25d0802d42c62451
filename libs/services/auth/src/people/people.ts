import type { Actor, authContracts, SnapshotVersion } from '@gatehouse/contracts';
import { newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { refuseUnknownRoles } from '../roles/known-roles.js';
import { keepAnAdministrator } from '../roles/last-administrator.js';
import { refuseMoreThanHeld, refuseStronger } from '../roles/refuse-more-than-held.js';
import { addMissingTeams } from '../teams/team-rows.js';
import { disableCaller } from './disable-caller.js';
import { allPeople, findPerson, insertPerson, markStatus, updatePersonRow, type PersonValues } from './person-rows.js';

type Person = authContracts.Person;

/** Who someone is: everything but what we make ourselves. */
export type NewPerson = PersonValues;

/** What to change; what is left out stays. */
export type PersonUpdate = { personId: string } & { [K in keyof PersonValues]?: PersonValues[K] | undefined };

/** A person after a change, and the directory from which it holds. */
export interface ChangedPerson {
  person: Person;
  directory: SnapshotVersion;
}

/** What `People` works with. */
export interface PeopleParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/** A step of a change; tells whether edges must hear of it. */
type Step = (tx: Transaction, person: Person) => Promise<boolean>;

/**
 * The people who may sign in or be given tokens. Every change checks in its own transaction that the
 * actor gives nothing they do not have and touches nobody who has more (`capability_missing`), and
 * that an administrator is left (`conflict`, reason `last_administrator`).
 */
export class People {
  private readonly clock: Clock;

  constructor(private readonly parts: PeopleParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Everyone, the disabled too. */
  list(): Promise<Person[]> {
    return allPeople(this.parts.db);
  }

  /** Adds a person. A taken e-mail address is refused with `conflict`, an unknown role with `bad_request`; new teams are made. */
  async create(by: Actor, { name, email, roles, teams }: NewPerson): Promise<Person> {
    const createdAt = this.clock.now();
    const row = { id: newId('person', this.clock), name, email, roles: distinct(roles), teams: distinct(teams), source: 'local' as const, createdAt };
    const { result } = await this.parts.changes.apply(async (tx) => {
      await refuseMoreThanHeld(tx, by, row);
      await refuseUnknownRoles(tx, row.roles);
      await addMissingTeams(tx, row.teams, createdAt);
      await insertPerson(tx, row);
      return { result: await readPerson(tx, row.id), changed: true };
    });
    this.parts.log.info({ actorId: by.callerId, personId: row.id }, 'person created');
    return result;
  }

  /** Changes what is given. Refuses with `not_found`, and as `create` does. */
  update(by: Actor, { personId, ...wanted }: PersonUpdate): Promise<ChangedPerson> {
    return this.change(by, { personId, done: 'person changed' }, async (tx, person) => {
      const next = withChanges(person, wanted);
      await refuseMoreThanHeld(tx, by, next);
      await refuseUnknownRoles(tx, next.roles.filter((role) => !person.roles.includes(role)));
      await addMissingTeams(tx, next.teams, this.clock.now());
      await updatePersonRow(tx, personId, next);
      return !sameValues(person, next);
    });
  }

  /** Takes a person out of the directory and ends every token, grant and sign-in of theirs, for good. Twice is fine. */
  disable(by: Actor, personId: string): Promise<ChangedPerson> {
    return this.change(by, { personId, done: 'person disabled' }, async (tx, person) => {
      if (person.status === 'disabled') return false;
      await disableCaller(tx, personId, this.clock.now());
      return true;
    });
  }

  /** Lets a disabled person in again; what was ended stays so. Twice is fine. */
  enable(by: Actor, personId: string): Promise<ChangedPerson> {
    return this.change(by, { personId, done: 'person enabled' }, async (tx, person) => {
      if (person.status === 'active') return false;
      await markStatus(tx, personId, 'active');
      return true;
    });
  }

  private async change(by: Actor, { personId, done }: { personId: string; done: string }, step: Step): Promise<ChangedPerson> {
    const { result, directory, changed } = await this.parts.changes.apply(async (tx) => {
      const before = await readPerson(tx, personId);
      await refuseStronger(tx, by, personId);
      const changed = await keepAnAdministrator(tx, () => step(tx, before));
      return { result: await readPerson(tx, personId), changed };
    });
    if (changed) this.parts.log.info({ actorId: by.callerId, personId }, done);
    return { person: result, directory };
  }
}

async function readPerson(tx: Transaction, id: string): Promise<Person> {
  const person = await findPerson(tx, id);
  if (person === undefined) throw new Refusal('not_found');
  return person;
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)];

function withChanges(person: Person, wanted: Omit<PersonUpdate, 'personId'>): PersonValues {
  return {
    name: wanted.name ?? person.name,
    email: wanted.email === undefined ? person.email : wanted.email,
    roles: distinct(wanted.roles ?? person.roles),
    teams: distinct(wanted.teams ?? person.teams),
  };
}

function sameValues(a: PersonValues, b: PersonValues): boolean {
  const text = ({ name, email, roles, teams }: PersonValues): string => JSON.stringify([name, email, roles, teams]);
  return text(a) === text(b);
}
