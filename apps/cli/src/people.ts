import { api, type authContracts } from '@gatehouse/contracts';
import { idPattern } from '@gatehouse/kernel';
import type { AdminApi } from './admin-api.js';
import { CliFailure } from './failure.js';

const ID = idPattern('person');

/** The one person by that id, e-mail address or name; fails when there is none or more than one. */
export async function findPerson(admin: AdminApi, who: string): Promise<authContracts.Person> {
  const people = await admin.all('/people', api.peoplePage);
  const found = people.filter((person) => [person.id, person.email, person.name].includes(who));
  const [person] = found;
  if (found.length > 1) throw new CliFailure({ message: `${found.length} people are called ${who}`, next: 'name one by id: gatehouse person list' });
  if (person === undefined) throw new CliFailure({ message: `there is nobody by the id, e-mail or name ${who}`, code: 'not_found', next: 'gatehouse person list' });
  return person;
}

/** The id of a person named by id, e-mail address or name; an id is taken as it is. */
export async function personIdOf(admin: AdminApi, who: string): Promise<string> {
  return ID.test(who) ? who : (await findPerson(admin, who)).id;
}
