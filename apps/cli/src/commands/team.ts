import { accessContracts, api } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { usageFailure } from '../failure.js';
import { addList, addRemove, chosen, itemNamed, type Listing } from '../list-verb.js';
import type { Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { each, invocation, noun, verb, type Context } from '../verb.js';

type Team = accessContracts.Team;

interface SetOptions {
  role?: string[] | false;
  group?: string[] | false;
  output?: Format;
}

const LISTING: Listing<Team> = {
  summary: 'List the teams',
  path: '/teams',
  page: api.teamPage,
  columns: {
    name: (team) => team.name,
    roles: (team) => team.roles.join(','),
    members: (team) => team.members,
    groups: (team) => groupsText(team),
  },
};

/** `gatehouse team …`. */
export function addTeam(program: Command, context: Context): void {
  const team = noun(program, 'team', 'Teams: people by name and by group of an identity provider, and their roles');
  addList(team, context, LISTING);
  verb(team, 'set <name>', 'Make a team, or change it; what is not named stays', 'gatehouse team set analysis --role member --group okta:Analysts')
    .option('--role <role>', 'all roles of its people (repeatable)', each)
    .option('--no-role', 'without roles')
    .option('--group <provider:group>', 'all groups whose people are in it: of an identity provider, or scim:group (repeatable)', each)
    .option('--no-group', 'people by name only')
    .action((name: string, options: SetOptions) => set(context, name, options));
  addRemove(team, context, { argument: '<name>', summary: 'Delete a team: its people lose what it gave them', example: 'analysis', path: '/teams' });
}

async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  const groups = options.group === undefined || options.group === false ? options.group : options.group.map(groupFrom);
  const held = await itemNamed(context, LISTING, name);
  const body = requestBody(api.teamBody, { roles: chosen(options.role, held?.roles), groups: chosen(groups, held?.groups) });
  const team = await context.api.ask({ method: 'PUT', path: `/teams${path(name)}`, body, answer: accessContracts.team });
  invocation(context, options).answer(team, () => fieldList({ name: team.name, roles: team.roles.join(', '), groups: groupsText(team), members: team.members }));
}

function groupFrom(text: string): { provider: string; group: string } {
  const at = text.indexOf(':');
  if (at < 1 || at === text.length - 1) throw usageFailure(`${JSON.stringify(text)} is no group`, 'PROVIDER:GROUP, for example okta:Analysts or scim:Analysts; gatehouse identity-provider list');
  return { provider: text.slice(0, at), group: text.slice(at + 1) };
}

const groupsText = ({ groups }: Team): string => groups.map(({ provider, group }) => `${provider}:${group}`).join(', ');
