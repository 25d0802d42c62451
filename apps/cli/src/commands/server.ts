import { api, serverContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { path } from '../admin-api.js';
import { CliFailure } from '../failure.js';
import { remark, timeText, type Format } from '../output/print.js';
import { fieldList, table, type Columns } from '../output/table.js';
import { afterProbe, healthText, probed } from '../probe-watch.js';
import { serverDetails } from '../server-details.js';
import { nextFor } from '../sign-in-steps.js';
import { invocation, noun, verb, wholeNumber, type Context } from '../verb.js';
import { addServerAdd } from './server-add.js';
import { addServerLogs } from './server-logs.js';
import { addServerSet } from './server-set.js';

type Server = serverContracts.Server;

const DEBUG_MINUTES = 15;
const MOST_DEBUG_MINUTES = 24 * 60;

interface DebugOptions extends Output {
  minutes?: number;
  off?: boolean;
}

interface Output {
  output?: Format;
}

const COLUMNS: Columns<Server> = {
  name: (server) => server.name,
  state: (server) => server.state,
  health: (server) => (server.health.failure === null ? server.health.status : `${server.health.status} (${server.health.failure})`),
  tools: (server) => server.tools,
  identity: (server) => server.identityMode,
  url: (server) => server.url,
};

const ITEM_COLUMNS: Columns<serverContracts.ObservedItem> = {
  kind: (item) => item.kind,
  name: (item) => item.name,
  description: (item) => item.description ?? item.title,
};

/** `gatehouse server …`. */
export function addServer(program: Command, context: Context): void {
  const server = noun(program, 'server', 'The MCP servers behind the gateway');
  addServerAdd(server, context);
  addServerSet(server, context);
  verb(server, 'list', 'List the servers', 'gatehouse server list').action((options: Output) => list(context, options));
  verb(server, 'show <name>', 'Show one server', 'gatehouse server show demo').action((name: string, options: Output) => show(context, name, options));
  verb(server, 'tools <name>', 'List what a server offered when it was last probed', 'gatehouse server tools demo')
    .addOption(new Option('--kind <kind>', 'only this kind').choices(serverContracts.observedItem.shape.kind.options))
    .action((name: string, options: Output & { kind?: string }) => tools(context, name, options));
  verb(server, 'probe <name>', 'Look at a server now', 'gatehouse server probe demo').action((name: string, options: Output) => probe(context, name, options));
  addServerLogs(server, context);
  verb(server, 'debug <name>', 'Have each hop of its calls in its log with its time, for some minutes; never bodies', 'gatehouse server debug demo --minutes 15')
    .option('--minutes <count>', `how long (default: ${DEBUG_MINUTES})`, wholeNumber(1, MOST_DEBUG_MINUTES))
    .option('--off', 'end it')
    .action((name: string, options: DebugOptions) => debug(context, name, options));
  verb(server, 'restart <name>', 'Forget connections and leases of a server everywhere and look at it anew; a stopped one is started', 'gatehouse server restart demo').action((name: string, options: Output) => restart(context, name, options));
  for (const act of ['stop', 'start'] as const) {
    const summary = act === 'stop' ? 'Stop a server: its calls are refused until it is started' : 'Start a stopped server';
    verb(server, `${act} <name>`, summary, `gatehouse server ${act} demo`).action((name: string, options: Output) => change(context, name, act, options));
  }
  verb(server, 'rm <name>', 'Remove a server; its endpoint is gone', 'gatehouse server rm demo').action((name: string, options: Output) => remove(context, name, options));
}

async function list(context: Context, options: Output): Promise<void> {
  const servers = await context.api.all('/servers', api.serverPage);
  invocation(context, options).answer(servers, () => table(COLUMNS, servers, context.surroundings.stdout.columns));
}

async function show(context: Context, name: string, options: Output): Promise<void> {
  const server = await context.api.ask({ path: `/servers${path(name)}`, answer: serverContracts.server });
  invocation(context, options).answer(server, () => serverDetails(context.surroundings, server));
}

async function tools(context: Context, name: string, options: Output & { kind?: string }): Promise<void> {
  const items = await context.api.all(`/servers${path(name)}/tools`, api.itemPage, { kind: options.kind });
  invocation(context, options).answer(items, () => table(ITEM_COLUMNS, items, context.surroundings.stdout.columns));
}

async function probe(context: Context, name: string, options: Output): Promise<void> {
  const before = await context.api.ask({ path: `/servers${path(name)}`, answer: serverContracts.server });
  await context.api.ask({ method: 'POST', path: `/servers${path(name)}/probe` });
  await outcome(context, name, before.health.checkedAt, options);
}

async function restart(context: Context, name: string, options: Output): Promise<void> {
  await context.api.ask({ method: 'POST', path: `/servers${path(name)}/restart` });
  // With a restart the health is unknown, so that any probe is a new one.
  await outcome(context, name, null, options);
}

/** Shows what the probe found that ends next after `since`, and fails when it found the server failing. */
async function outcome(context: Context, name: string, since: number | null, options: Output): Promise<void> {
  const server = await afterProbe(context.api, name, since);
  invocation(context, options).answer(server, () => serverDetails(context.surroundings, server));
  if (!probed(server, since)) throw new CliFailure({ message: 'the probe has not ended yet', next: `gatehouse server show ${name}` });
  const next = nextFor(server, context.surroundings);
  if (server.health.status === 'failing') throw new CliFailure({ message: healthText(server), code: server.health.failure ?? undefined, next });
  if (next !== undefined) remark(context.surroundings, `next: ${next}`);
}

async function debug(context: Context, name: string, { off = false, minutes = DEBUG_MINUTES, ...options }: DebugOptions): Promise<void> {
  const body = { minutes: off ? 0 : minutes };
  const server = await context.api.ask({ method: 'POST', path: `/servers${path(name)}/debug`, body, answer: serverContracts.server });
  const isOn = server.debugUntil !== null && server.debugUntil > context.surroundings.now();
  invocation(context, options).answer(server, () => fieldList({ server: server.name, debug: isOn ? `until ${timeText(server.debugUntil) ?? ''}` : 'off', lines: isOn ? `gatehouse server logs ${server.name} --follow` : null }));
}

async function change(context: Context, name: string, act: 'stop' | 'start', options: Output): Promise<void> {
  const server = await context.api.ask({ method: 'POST', path: `/servers${path(name)}/${act}`, answer: serverContracts.server });
  invocation(context, options).answer(server, () => fieldList({ server: server.name, state: server.state }));
}

async function remove(context: Context, name: string, options: Output): Promise<void> {
  await context.api.ask({ method: 'DELETE', path: `/servers${path(name)}` });
  invocation(context, options).answer({ removed: name }, () => fieldList({ removed: name }));
}
