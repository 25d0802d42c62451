import { api, authContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { findPerson, personIdOf } from '../callers.js';
import { usageFailure } from '../failure.js';
import { addList } from '../list-verb.js';
import { timeText, type Format } from '../output/print.js';
import { fieldList, type Columns } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { each, invocation, noun, verb, type Context } from '../verb.js';

type Person = authContracts.Person;

interface PersonOptions {
  name?: string;
  email?: string | false;
  role?: string[];
  team?: string[] | false;
  output?: Format;
}

const COLUMNS: Columns<Person> = {
  id: (person) => person.id,
  name: (person) => person.name,
  'e-mail': (person) => person.email,
  roles: (person) => person.effective.roles.join(','),
  teams: (person) => person.effective.teams.join(','),
  status: (person) => person.status,
  source: (person) => person.source,
  'last sign-in': (person) => timeText(person.lastSignInAt),
};

const ACTS = {
  disable: 'Disable a person: every token, grant and sign-in of theirs is over',
  enable: 'Let a disabled person sign in again; what was revoked stays revoked',
} as const;

/** `gatehouse person …`. */
export function addPerson(program: Command, context: Context): void {
  const person = noun(program, 'person', 'The people who may sign in or be given tokens');
  addList(person, context, { summary: 'List the people', path: '/people', page: api.peoplePage, columns: COLUMNS });
  verb(person, 'show <who>', 'Show one person (id, e-mail or name) and where their roles come from', 'gatehouse person show ada@example.com').action((who: string, options: PersonOptions) =>
    show(context, who, options),
  );
  verb(person, 'add <name>', 'Add a person before they sign in', "gatehouse person add 'Ada Lovelace' --email ada@example.com --team analysis")
    .alias('create')
    .option('--email <address>', 'e-mail address')
    .option('--role <role>', 'role (repeatable; default: member)', each)
    .option('--team <team>', 'team (repeatable)', each)
    .action((name: string, options: PersonOptions) => add(context, name, options));
  verb(person, 'update <who>', 'Change a person; what is not named stays', 'gatehouse person update ada@example.com --role operator --role member')
    .option('--name <name>', 'another name')
    .option('--email <address>', 'another e-mail address')
    .option('--no-email', 'without an e-mail address')
    .option('--role <role>', 'all their own roles from now on (repeatable)', each)
    .option('--team <team>', 'all their own teams from now on (repeatable)', each)
    .option('--no-team', 'in no team of their own')
    .action((who: string, options: PersonOptions) => update(context, who, options));
  verb(person, 'link <who>', 'Make a link that signs a person in once, within fifteen minutes (GATEHOUSE_LOCAL_ACCOUNTS=on)', 'gatehouse person link ada@example.com').action(
    (who: string, options: PersonOptions) => link(context, who, options),
  );
  for (const act of ['disable', 'enable'] as const) {
    verb(person, `${act} <who>`, ACTS[act], `gatehouse person ${act} ada@example.com`).action((who: string, options: PersonOptions) => change(context, who, act, options));
  }
}

async function show(context: Context, who: string, options: PersonOptions): Promise<void> {
  const person = await findPerson(context.api, who);
  invocation(context, options).answer(person, () => details(person));
}

async function add(context: Context, name: string, { email, role, team, ...options }: PersonOptions): Promise<void> {
  const body = requestBody(api.personBody, { name, email: email || null, roles: role, teams: team || [] });
  const created = await context.api.ask({ method: 'POST', path: '/people', body, answer: authContracts.person });
  invocation(context, options).answer(created, () => details(created));
}

async function update(context: Context, who: string, { name, email, role, team, ...options }: PersonOptions): Promise<void> {
  const body = requestBody(api.personChange, {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email: email || null }),
    ...(role === undefined ? {} : { roles: role }),
    ...(team === undefined ? {} : { teams: team || [] }),
  });
  if (Object.keys(body).length === 0) throw usageFailure('what is to change?', 'gatehouse person update --help');
  const id = await personIdOf(context.api, who);
  const person = await context.api.ask({ method: 'PATCH', path: `/people${path(id)}`, body, answer: authContracts.person });
  invocation(context, options).answer(person, () => details(person));
}

async function change(context: Context, who: string, act: 'disable' | 'enable', options: PersonOptions): Promise<void> {
  const id = await personIdOf(context.api, who);
  const person = await context.api.ask({ method: 'POST', path: `/people${path(id)}/${act}`, answer: authContracts.person });
  invocation(context, options).answer(person, () => details(person));
}

async function link(context: Context, who: string, options: PersonOptions): Promise<void> {
  const id = await personIdOf(context.api, who);
  const made = await context.api.ask({ method: 'POST', path: `/people${path(id)}/sign-in-link`, answer: api.signInLink });
  invocation(context, options).answer(made, () => fieldList({ link: made.url, 'works until': timeText(made.expiresAt), 'send to': 'nobody but them: it works once, for whoever opens it' }));
}

function details(person: Person): string {
  return fieldList({
    id: person.id,
    name: person.name,
    'e-mail': person.email,
    status: person.status,
    'own roles': person.roles.join(', '),
    'own teams': person.teams.join(', '),
    'all roles': person.effective.roles.join(', '),
    'all teams': person.effective.teams.join(', '),
    capabilities: person.effective.capabilities.join(', '),
    source: person.source,
    created: timeText(person.createdAt),
    'last sign-in': timeText(person.lastSignInAt),
  });
}
