import { accessContracts, api } from '@gatehouse/contracts';
import type { Command } from 'commander';
import type { z } from 'zod';
import { path } from '../admin-api.js';
import { serviceAccountIdOf } from '../callers.js';
import { usageFailure } from '../failure.js';
import { addList } from '../list-verb.js';
import { remark, timeText, type Format } from '../output/print.js';
import { fieldList, type Columns } from '../output/table.js';
import { publicKeysIn } from '../public-keys.js';
import { requestBody } from '../request-body.js';
import { each, invocation, noun, verb, type Context } from '../verb.js';

type Account = accessContracts.ServiceAccount;
type Auth = z.input<typeof api.serviceAccountAuthBody>['auth'];

interface AccountOptions {
  role?: string[];
  team?: string[];
  secret: boolean;
  jwksFile?: string;
  output?: Format;
}

const COLUMNS: Columns<Account> = {
  id: (account) => account.id,
  name: (account) => account.name,
  roles: (account) => account.roles.join(','),
  teams: (account) => account.teams.join(','),
  proof: (account) => account.auth,
  'secret made': (account) => timeText(account.secretAt),
  status: (account) => account.status,
};

/** `gatehouse service-account …`. */
export function addServiceAccount(program: Command, context: Context): void {
  const account = noun(program, 'service-account', 'Callers that are no people: agents and jobs');
  addList(account, context, { summary: 'List the service accounts', path: '/service-accounts', page: api.serviceAccountPage, columns: COLUMNS });
  withProof(verb(account, 'add <name>', 'Add a service account; its secret is shown once, its id is its client_id', 'gatehouse service-account add nightly-report --team analysis -o json'))
    .option('--role <role>', 'role (repeatable; default: member)', each)
    .option('--team <team>', 'team (repeatable)', each)
    .action((name: string, options: AccountOptions) => add(context, name, options));
  withProof(verb(account, 'rotate <who>', 'Make a new secret, or take new keys; the old ones stop at once', 'gatehouse service-account rotate nightly-report')).action(
    (who: string, options: AccountOptions) => rotate(context, who, options),
  );
  verb(account, 'disable <who>', 'Disable a service account for good: its tokens and grants are over', 'gatehouse service-account disable nightly-report').action(
    (who: string, options: AccountOptions) => disable(context, who, options),
  );
}

function withProof(command: Command): Command {
  return command
    .option('--jwks-file <file>', 'it proves itself by these public keys (private_key_jwt), not by a secret; - for standard input')
    .option('--no-secret', 'it cannot ask for tokens itself: it is given personal access tokens');
}

async function add(context: Context, name: string, options: AccountOptions): Promise<void> {
  const body = requestBody(api.serviceAccountBody, { name, roles: options.role, teams: options.team, auth: await authFrom(context, options) });
  const created = await context.api.ask({ method: 'POST', path: '/service-accounts', body, answer: api.createdServiceAccount });
  showOnce(context, created, options);
}

async function rotate(context: Context, who: string, options: AccountOptions): Promise<void> {
  const body = requestBody(api.serviceAccountAuthBody, { auth: await authFrom(context, options) });
  const id = await serviceAccountIdOf(context.api, who);
  const rotated = await context.api.ask({ method: 'POST', path: `/service-accounts${path(id)}/auth`, body, answer: api.createdServiceAccount });
  showOnce(context, rotated, options);
}

async function disable(context: Context, who: string, options: AccountOptions): Promise<void> {
  const id = await serviceAccountIdOf(context.api, who);
  const account = await context.api.ask({ method: 'POST', path: `/service-accounts${path(id)}/disable`, answer: accessContracts.serviceAccount });
  invocation(context, options).answer(account, () => fieldList(details(account)));
}

async function authFrom({ surroundings }: Context, { jwksFile, secret }: AccountOptions): Promise<Auth> {
  if (jwksFile !== undefined && !secret) throw usageFailure('--jwks-file and --no-secret say different things: name one of them');
  if (jwksFile !== undefined) return { method: 'private_key_jwt', jwks: await publicKeysIn(jwksFile, surroundings) };
  return { method: secret ? 'secret' : 'none' };
}

function showOnce(context: Context, account: Account & { secret: string | null }, options: AccountOptions): void {
  const { secret } = account;
  invocation(context, options).answer(account, () => fieldList({ ...details(account), ...(secret === null ? {} : { secret }) }));
  if (secret !== null && context.surroundings.stderr.isTerminal) remark(context.surroundings, 'Keep the secret now: it is not shown again.');
}

function details(account: Account) {
  return { id: account.id, name: account.name, roles: account.roles.join(', '), teams: account.teams.join(', '), proof: account.auth, status: account.status };
}
