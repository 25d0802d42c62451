import { api, authContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { timeText, type Format } from '../output/print.js';
import { fieldList, table, type Columns } from '../output/table.js';
import { personIdOf } from '../people.js';
import { each, eachOf, invocation, noun, verb, type Context } from '../verb.js';

type Person = authContracts.Person;

interface CreateOptions {
  email?: string;
  role?: string[];
  team?: string[];
  output?: Format;
}

const COLUMNS: Columns<Person> = {
  id: (person) => person.id,
  name: (person) => person.name,
  'e-mail': (person) => person.email,
  roles: (person) => person.roles.join(','),
  teams: (person) => person.teams.join(','),
  status: (person) => person.status,
  created: (person) => timeText(person.createdAt),
};

/** `gatehouse person …`. */
export function addPerson(program: Command, context: Context): void {
  const person = noun(program, 'person', 'People who may be given tokens');
  verb(person, 'create <name>', 'Add a person', "gatehouse person create 'Ada Lovelace' --email ada@example.com --team analysis")
    .option('--email <address>', 'e-mail address')
    .addOption(eachOf('--role <role>', 'role (repeatable; default: member)', Object.keys(authContracts.ROLES)))
    .option('--team <team>', 'team, for policies (repeatable)', each)
    .action((name: string, options: CreateOptions) => create(context, name, options));
  verb(person, 'list', 'List the people', 'gatehouse person list').action((options: CreateOptions) => list(context, options));
  verb(person, 'disable <who>', 'Disable a person by id, e-mail or name: every token of theirs stops working', 'gatehouse person disable ada@example.com').action(
    (who: string, options: CreateOptions) => disable(context, who, options),
  );
}

async function create(context: Context, name: string, options: CreateOptions): Promise<void> {
  const body = { name, email: options.email ?? null, roles: options.role ?? ['member'], teams: options.team ?? [] };
  const created = await context.api.ask({ method: 'POST', path: '/people', body, answer: authContracts.person });
  invocation(context, options).answer(created, () => details(created));
}

async function list(context: Context, options: CreateOptions): Promise<void> {
  const people = await context.api.all('/people', api.peoplePage);
  invocation(context, options).answer(people, () => table(COLUMNS, people, context.surroundings.stdout.columns));
}

async function disable(context: Context, who: string, options: CreateOptions): Promise<void> {
  const id = await personIdOf(context.api, who);
  const person = await context.api.ask({ method: 'POST', path: `/people${path(id)}/disable`, answer: authContracts.person });
  invocation(context, options).answer(person, () => details(person));
}

function details(person: Person): string {
  return fieldList({ id: person.id, name: person.name, 'e-mail': person.email, roles: person.roles.join(', '), teams: person.teams.join(', '), status: person.status });
}
