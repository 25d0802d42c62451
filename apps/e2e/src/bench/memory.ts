import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { AdminApi } from '../world/admin-api.js';
import { startEmbedded } from '../world/embedded-world.js';
import type { World } from '../world/world.js';
import { openSession, VERSION } from './mcp-session.js';
import { residentMb } from './process-use.js';
import { mcpHeaders } from './served.js';

const SETTLE_MS = 5_000;
/** Below the limit of streams per person. */
const PER_PERSON = 200;

/** Memory of the one process that nobody has called yet, in megabytes, without the database's own processes. */
export async function idleMemory(): Promise<number> {
  const world = await startEmbedded({ GATEHOUSE_LOG_LEVEL: 'warn' });
  try {
    await sleep(SETTLE_MS);
    return await residentMb(world.processes[0]!.pid!);
  } finally {
    await world.stop();
  }
}

/** Memory that open sessions add to a gateway process, in megabytes. */
export interface SessionMemory {
  sessions: number;
  addedMb: number;
  /** With the session's GET stream open besides: a connection on either side of the gateway. */
  addedWithStreamsMb: number;
  streams: number;
}

/**
 * Opens sessions of several people, then the GET stream of each. The process must have carried load before:
 * otherwise the growth of the young generation would be counted as theirs.
 */
export async function sessionMemory(world: World, server: string, sessions: number): Promise<SessionMemory> {
  const pid = world.edgeProcesses[0]!.pid!;
  const url = `${world.edges[0]}/mcp/${server}`;
  const tokens = await tokensOfPeople(world, Math.ceil(sessions / PER_PERSON));
  const client = new Agent({ pipelining: 1 });
  try {
    const before = await settled(pid);
    const open = await openAll({ url, tokens, client }, sessions);
    const after = await settled(pid);
    const streams = await listenAll(url, open, client);
    const withStreams = await settled(pid);
    return { sessions: open.length, addedMb: after - before, addedWithStreamsMb: withStreams - before, streams };
  } finally {
    await client.destroy();
  }
}

interface Opened {
  headers: Record<string, string>;
}

async function openAll(via: { url: string; tokens: string[]; client: Dispatcher }, count: number): Promise<Opened[]> {
  const opened: Opened[] = [];
  while (opened.length < count) {
    const own = mcpHeaders(via.tokens[opened.length % via.tokens.length]!);
    const id = await openSession(via.url, own, via.client);
    opened.push({ headers: { ...own, 'mcp-session-id': id, 'mcp-protocol-version': VERSION } });
  }
  return opened;
}

/** Opens a stream per session and resolves to how many are open. */
async function listenAll(url: string, sessions: readonly Opened[], client: Dispatcher): Promise<number> {
  let open = 0;
  for (const { headers } of sessions) {
    const { 'content-type': _none, ...rest } = headers;
    const answer = await request(url, { dispatcher: client, method: 'GET', headers: { ...rest, accept: 'text/event-stream' }, bodyTimeout: 0 });
    if (answer.statusCode !== 200) throw new Error(`stream ${open + 1}: ${answer.statusCode} ${await answer.body.text()}`);
    // Ends with the client at the latest, which is no failure of the measurement.
    answer.body.on('error', () => undefined).resume();
    open += 1;
  }
  return open;
}

async function tokensOfPeople(world: World, count: number): Promise<string[]> {
  const api = new AdminApi(world.edges[0]!, world.adminToken);
  const tokens: string[] = [];
  for (let at = 0; at < count; at++) {
    const person = await api.ok('POST', '/people', { name: `Bench ${at}` });
    tokens.push((await api.ok('POST', '/tokens', { name: 'bench', callerId: person.id })).token);
  }
  return tokens;
}

async function settled(pid: number): Promise<number> {
  await sleep(SETTLE_MS);
  return residentMb(pid);
}
