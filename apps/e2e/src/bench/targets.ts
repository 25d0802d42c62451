import { findServerBinary } from '@gatehouse/testing';
import { AdminApi } from '../world/admin-api.js';
import { startDistributed } from '../world/distributed-world.js';
import { startEmbedded } from '../world/embedded-world.js';
import type { World } from '../world/world.js';
import { BenchChild } from './bench-child.js';
import { openSessions, VERSION } from './mcp-session.js';
import { mcpHeaders, served } from './served.js';

/** One way to the upstream that is measured. */
export interface Target {
  name: 'direct' | 'baseline' | 'gatehouse' | 'gatehouse, fresh';
  url: string;
  /** The process whose CPU time counts; none for the direct way. */
  pid: number | undefined;
  headers: Record<string, string>;
  sessions: string[];
}

/** Everything the bench runs against. */
export interface BenchWorld {
  world: World;
  /** What the gateway process is in this run. */
  form: string;
  targets: Target[];
  upstreamUrl: string;
  stop(): Promise<void>;
}

/** In which form Gatehouse is measured; `auto` takes the five services when their servers are installed. */
export type BenchForm = 'auto' | 'one' | 'five';

const QUIET = { GATEHOUSE_LOG_LEVEL: 'warn' };
const FRESH = 'judged';
// Concerns one server only, so that the other's decisions may still be remembered.
const READS_ARGUMENTS = `forbid(principal, action == Gatehouse::Action::"call", resource in Gatehouse::Server::"${FRESH}")
when { context.arguments has id && context.arguments.id == "ISSUE-0" };`;

/** Starts upstream, baseline proxy and a Gatehouse with the upstream registered twice, and opens sessions everywhere. */
export async function startBenchWorld(sessionCount: number, form: BenchForm): Promise<BenchWorld> {
  const upstream = await BenchChild.start<{ url: string }>('upstream-process');
  const baseline = await BenchChild.start<{ url: string }>('baseline-proxy', upstream.first.url);
  const world = await startWorld(form);
  const stop = async (): Promise<void> => void (await Promise.all([world.stop(), baseline.stop(), upstream.stop()]));
  try {
    const targets = await openTargets(world, { upstream, baseline }, sessionCount);
    return { world, form: formOf(world), targets, upstreamUrl: upstream.first.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whether the servers of the distributed form are installed. */
function hasServers(): boolean {
  return (['nats-server', 'redis-server', 'postgres'] as const).every((name) => findServerBinary(name) !== undefined);
}

function startWorld(form: BenchForm): Promise<World> {
  const isFive = form === 'five' || (form === 'auto' && hasServers());
  return isFive ? startDistributed({ shared: QUIET }) : startEmbedded(QUIET);
}

function formOf({ form }: World): string {
  return form === 'five services' ? 'the gateway alone (five services over NATS, Redis, PostgreSQL)' : 'the one process with all five services';
}

async function openTargets(world: World, ways: Record<'upstream' | 'baseline', BenchChild<{ url: string }>>, sessionCount: number): Promise<Target[]> {
  const { upstream, baseline } = ways;
  const [remembered] = await served(world, 'remembered', upstream.first.url);
  const [fresh] = await served(world, FRESH, upstream.first.url);
  await new AdminApi(world.edges[0]!, world.adminToken).ok('PUT', '/policies/reads-arguments', READS_ARGUMENTS);
  const pid = world.edgeProcesses[0]!.pid!;
  const headers = { ...mcpHeaders(world.adminToken), 'mcp-protocol-version': VERSION };
  const target = async (name: Target['name'], url: string, of?: number): Promise<Target> => ({
    ...{ name, url, headers },
    pid: of,
    sessions: await openSessions(url, headers, sessionCount),
  });
  return [
    await target('direct', upstream.first.url),
    await target('baseline', baseline.first.url, baseline.pid),
    await target('gatehouse', remembered!, pid),
    await target('gatehouse, fresh', fresh!, pid),
  ];
}
