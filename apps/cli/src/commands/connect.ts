import { api, identityContracts } from '@gatehouse/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import { path } from '../admin-api.js';
import { connectAccount, CONNECT_LIMIT_MS, identityById } from '../connect-account.js';
import { durationMs } from '../durations.js';
import { CliFailure } from '../failure.js';
import { identityDetails } from '../identity-view.js';
import type { Format } from '../output/print.js';
import { requestBody } from '../request-body.js';
import { secretOrAsked } from '../secret-source.js';
import { each, invocation, verb, type Context } from '../verb.js';

type Identity = identityContracts.Identity;

interface ConnectOptions {
  global?: boolean;
  name?: string;
  header?: string[];
  browser: boolean;
  timeout?: number;
  output?: Format;
}

const MOST_TIMEOUT_MS = 3_600_000;

/** `gatehouse connect`: an account of one's own at a server, by a browser or by the values of its headers. */
export function addConnect(program: Command, context: Context): void {
  verb(program, 'connect <server>', 'Connect your account at a server, so that your calls carry it', 'gatehouse connect github')
    .option('--global', "the organisation's account, for everybody the server is open to (needs identities.manage)")
    .option('--name <name>', 'name of the account, where there are several (default: default)')
    .option('--header <name>', 'for servers that take a token in a header: NAME asks for its value, NAME=source takes it from env:VAR, file:PATH or - (repeatable)', each)
    .option('--no-browser', 'print the address and open nothing')
    .option('--timeout <duration>', 'how long to wait for the account (default: 2m)', waitingTime)
    .action((server: string, options: ConnectOptions) => connect(context, server, options));
}

async function connect(context: Context, server: string, options: ConnectOptions): Promise<void> {
  const identity = options.header === undefined ? await byBrowser(context, server, options) : await byHeaders(context, server, options);
  invocation(context, options).answer(identity, () => identityDetails(identity));
}

async function byBrowser(context: Context, server: string, { browser, name, timeout = CONNECT_LIMIT_MS, ...options }: ConnectOptions): Promise<Identity> {
  const id = await connectAccount(context, { server, visibility: visibilityOf(options), name, browser, timeoutMs: timeout });
  const identity = await identityById(context, id, server);
  if (identity === undefined) throw new CliFailure({ message: 'the account was connected and is gone again', next: 'gatehouse identity list' });
  return identity;
}

async function byHeaders(context: Context, server: string, options: ConnectOptions): Promise<Identity> {
  const headers = await valuesOf(context, options.header ?? []);
  const { name = 'default' } = options;
  const visibility = visibilityOf(options);
  const held = (await context.api.all('/identities', api.identityPage, { server })).find((each) => each.name === name && (each.owner === 'global') === (visibility === 'global'));
  if (held !== undefined) return context.api.ask({ method: 'PUT', path: `/identities${path(held.id)}/headers`, body: requestBody(api.identityHeadersBody, { headers }), answer: identityContracts.identity });
  const body = requestBody(api.identityBody, { server, visibility, name, headers });
  return context.api.ask({ method: 'POST', path: '/identities', body, answer: identityContracts.identity });
}

async function valuesOf({ surroundings }: Context, given: readonly string[]): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const option of given) {
    const [name = '', ...rest] = option.split('=');
    const source = rest.length === 0 ? undefined : rest.join('=');
    values[name] = await secretOrAsked(source, surroundings, { name, usage: '--header takes NAME, NAME=env:VAR, NAME=file:PATH or NAME=-' });
  }
  return values;
}

const visibilityOf = ({ global = false }: { global?: boolean }): 'private' | 'global' => (global ? 'global' : 'private');

function waitingTime(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= MOST_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError('A duration from 1s to 60m, for example 2m.');
}
