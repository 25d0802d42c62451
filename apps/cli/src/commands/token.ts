import { api, authContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { callerIdOf } from '../callers.js';
import { futureTime } from '../durations.js';
import { remark, timeText, type Format } from '../output/print.js';
import { fieldList, table, type Columns } from '../output/table.js';
import { eachOf, invocation, noun, verb, type Context } from '../verb.js';

type Token = authContracts.TokenSummary;

interface CreateOptions {
  scope?: string[];
  caller?: string;
  expires?: string;
  output?: Format;
}

const COLUMNS: Columns<Token> = {
  id: (token) => token.id,
  name: (token) => token.name,
  caller: (token) => token.callerId,
  scopes: (token) => token.scopes.join(','),
  created: (token) => timeText(token.createdAt),
  expires: (token) => timeText(token.expiresAt) ?? 'never',
  revoked: (token) => timeText(token.revokedAt),
};

/** `gatehouse token …`. */
export function addToken(program: Command, context: Context): void {
  const token = noun(program, 'token', 'Personal access tokens, of people and service accounts');
  verb(token, 'create <name>', 'Make a token; it is shown once', 'gatehouse token create laptop --expires 90d')
    .addOption(eachOf('--scope <scope>', 'what it may be used for (repeatable; default: mcp:access)', authContracts.TOKEN_SCOPES))
    .option('--caller <who>', 'whose it is: person or service account by id, e-mail or name (default: yours)')
    .option('--expires <when>', 'a duration from now (90d) or a time; default: never')
    .action((name: string, options: CreateOptions) => create(context, name, options));
  verb(token, 'list', 'List the tokens you may see', 'gatehouse token list')
    .option('--caller <who>', 'only of this person or service account')
    .action((options: CreateOptions) => list(context, options));
  verb(token, 'revoke <id>', 'Revoke a token: it stops working at once', 'gatehouse token revoke tok_01990000-0000-7000-8000-000000000000').action(
    (id: string, options: CreateOptions) => revoke(context, id, options),
  );
}

async function create(context: Context, name: string, options: CreateOptions): Promise<void> {
  const body = {
    name,
    ...(options.scope === undefined ? {} : { scopes: options.scope }),
    ...(options.caller === undefined ? {} : { callerId: await callerIdOf(context.api, options.caller) }),
    ...(options.expires === undefined ? {} : { expiresAt: futureTime(options.expires, context.surroundings.now()) }),
  };
  const created = await context.api.ask({ method: 'POST', path: '/tokens', body, answer: api.createdToken });
  invocation(context, options).answer(created, () =>
    fieldList({ id: created.id, name: created.name, scopes: created.scopes.join(', '), expires: timeText(created.expiresAt) ?? 'never', token: created.token }),
  );
  if (context.surroundings.stderr.isTerminal) remark(context.surroundings, 'Keep the token now: it is not shown again.');
}

async function list(context: Context, options: CreateOptions): Promise<void> {
  const callerId = options.caller === undefined ? undefined : await callerIdOf(context.api, options.caller);
  const tokens = (await context.api.all('/tokens', api.tokenPage)).filter((token) => [undefined, token.callerId].includes(callerId));
  invocation(context, options).answer(tokens, () => table(COLUMNS, tokens, context.surroundings.stdout.columns));
}

async function revoke(context: Context, id: string, options: CreateOptions): Promise<void> {
  await context.api.ask({ method: 'POST', path: `/tokens${path(id)}/revoke` });
  invocation(context, options).answer({ revoked: id }, () => fieldList({ revoked: id }));
}
