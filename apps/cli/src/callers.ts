import { api, type accessContracts, type authContracts } from '@gatehouse/contracts';
import { idPattern } from '@gatehouse/kernel';
import type { AdminApi } from './admin-api.js';
import { CliFailure } from './failure.js';

const PERSON = idPattern('person');
const SERVICE_ACCOUNT = idPattern('service_account');

/** What somebody is searched among: how they are called in words, and the verb that lists them. */
interface Kind {
  many: string;
  none: string;
  list: string;
}

const PEOPLE: Kind = { many: 'people', none: 'nobody by the id, e-mail or name', list: 'gatehouse person list' };
const ACCOUNTS: Kind = { many: 'service accounts', none: 'no service account by the id or name', list: 'gatehouse service-account list' };
const CALLERS: Kind = { many: 'callers', none: 'no person or service account by the id, e-mail or name', list: 'gatehouse person list, gatehouse service-account list' };

/** The one person by that id, e-mail address or name; fails when there is none or more than one. */
export async function findPerson(admin: AdminApi, who: string): Promise<authContracts.Person> {
  return theOne(await admin.all('/people', api.peoplePage), who, PEOPLE);
}

/** The id of a person named by id, e-mail address or name; an id is taken as it is. */
export async function personIdOf(admin: AdminApi, who: string): Promise<string> {
  return PERSON.test(who) ? who : (await findPerson(admin, who)).id;
}

/** The id of a service account named by id or name; an id is taken as it is. */
export async function serviceAccountIdOf(admin: AdminApi, who: string): Promise<string> {
  return SERVICE_ACCOUNT.test(who) ? who : theOne(await serviceAccounts(admin), who, ACCOUNTS).id;
}

/** The id of a person or service account named by id, e-mail address or name; an id is taken as it is. */
export async function callerIdOf(admin: AdminApi, who: string): Promise<string> {
  if (PERSON.test(who) || SERVICE_ACCOUNT.test(who)) return who;
  const people = await admin.all('/people', api.peoplePage);
  return theOne([...people, ...(await serviceAccounts(admin))], who, CALLERS).id;
}

function serviceAccounts(admin: AdminApi): Promise<accessContracts.ServiceAccount[]> {
  return admin.all('/service-accounts', api.serviceAccountPage);
}

function theOne<T extends { id: string; name: string; email?: string | null }>(among: readonly T[], who: string, { many, none, list }: Kind): T {
  const found = among.filter((each) => [each.id, each.email, each.name].includes(who));
  const [one] = found;
  if (found.length > 1) throw new CliFailure({ message: `${found.length} ${many} are called ${who}`, next: `name one by id: ${list}` });
  if (one === undefined) throw new CliFailure({ message: `there is ${none} ${who}`, code: 'not_found', next: list });
  return one;
}
