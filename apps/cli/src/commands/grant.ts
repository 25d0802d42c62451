import { api, type clientContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { callerIdOf } from '../callers.js';
import { timeText, type Format } from '../output/print.js';
import { fieldList, table, type Columns } from '../output/table.js';
import { invocation, noun, verb, type Context } from '../verb.js';

interface Options {
  caller?: string;
  client?: string;
  output?: Format;
}

const COLUMNS: Columns<clientContracts.Grant> = {
  id: (grant) => grant.id,
  caller: (grant) => grant.callerName,
  client: (grant) => grant.clientName,
  for: (grant) => grant.resources.join(', '),
  created: (grant) => timeText(grant.createdAt),
  'last used': (grant) => timeText(grant.lastUsedAt),
  expires: (grant) => timeText(grant.expiresAt),
};

/** `gatehouse grant …`. */
export function addGrant(program: Command, context: Context): void {
  const grant = noun(program, 'grant', 'What people let clients do on their behalf');
  verb(grant, 'list', 'List your grants, or everybody\'s with the capability clients.manage', 'gatehouse grant list --caller ada@example.com')
    .option('--caller <who>', 'only of this person: id, e-mail or name')
    .option('--client <id>', 'only of this client')
    .action((options: Options) => list(context, options));
  verb(grant, 'revoke <id>', 'End a grant: the client is out at once', 'gatehouse grant revoke 6nX0bM1vQdK3').action((id: string, options: Options) => revoke(context, id, options));
}

async function list(context: Context, { caller, client, ...options }: Options): Promise<void> {
  const callerId = caller === undefined ? undefined : await callerIdOf(context.api, caller);
  const all = await context.api.all('/grants', api.grantPage);
  const grants = all.filter((grant) => [undefined, grant.callerId].includes(callerId) && [undefined, grant.clientId].includes(client));
  invocation(context, options).answer(grants, () => table(COLUMNS, grants, context.surroundings.stdout.columns));
}

async function revoke(context: Context, id: string, options: Options): Promise<void> {
  await context.api.ask({ method: 'POST', path: `/grants${path(id)}/revoke` });
  invocation(context, options).answer({ revoked: id }, () => fieldList({ revoked: id }));
}
