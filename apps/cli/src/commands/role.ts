import { accessContracts, api, authContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { usageFailure } from '../failure.js';
import { addList, addRemove, chosen, itemNamed, type Listing } from '../list-verb.js';
import type { Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { eachOf, invocation, noun, verb, type Context } from '../verb.js';

interface SetOptions {
  capability?: string[] | false;
  description?: string;
  output?: Format;
}

const LISTING: Listing<accessContracts.Role> = {
  summary: 'List the roles and what they may do',
  path: '/roles',
  page: api.rolePage,
  columns: {
    name: (role) => role.name,
    kind: (role) => (role.builtIn ? 'built in' : 'custom'),
    description: (role) => role.description,
    capabilities: (role) => role.capabilities.join(','),
  },
};

/** `gatehouse role …`. */
export function addRole(program: Command, context: Context): void {
  const role = noun(program, 'role', 'Roles: named sets of what one may do in the admin API');
  addList(role, context, LISTING);
  verb(role, 'set <name>', 'Make a custom role, or change it; what is not named stays', 'gatehouse role set auditor --capability audit.read --capability people.read')
    .addOption(eachOf('--capability <capability>', 'all it may do (repeatable)', authContracts.CAPABILITIES))
    .option('--no-capability', 'without capabilities')
    .option('--description <text>', 'what it is for')
    .action((name: string, options: SetOptions) => set(context, name, options));
  addRemove(role, context, { argument: '<name>', summary: 'Delete a custom role that nobody has', example: 'auditor', path: '/roles' });
}

async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  const held = await itemNamed(context, LISTING, name);
  if (held === undefined && options.capability === undefined) throw usageFailure(`there is no role ${name} yet: what may it do?`, 'name each with --capability; gatehouse role list shows those of other roles');
  const body = requestBody(api.roleBody, { capabilities: chosen(options.capability, held?.capabilities), description: options.description ?? held?.description ?? '' });
  const role = await context.api.ask({ method: 'PUT', path: `/roles${path(name)}`, body, answer: accessContracts.role });
  invocation(context, options).answer(role, () => fieldList({ name: role.name, description: role.description, capabilities: role.capabilities.join(', ') }));
}
