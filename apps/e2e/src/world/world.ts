import { afterAll, beforeAll, describe } from '@jest/globals';
import { findServerBinary, serverLeg } from '@gatehouse/testing';
import { admin, eventually } from './asking.js';
import { startDistributed } from './distributed-world.js';
import { startEmbedded } from './embedded-world.js';
import type { ManagedProcess } from './managed-process.js';

export { admin, eventually } from './asking.js';

/** A whole Gatehouse that a story drives from outside. */
export interface World {
  readonly form: 'one process' | 'five services';
  /** Base URLs of the edges: one, or two. */
  readonly edges: readonly string[];
  /** Every process of Gatehouse, for logs and signals. */
  readonly processes: readonly ManagedProcess[];
  /** The processes that serve the edges, in the order of `edges`. */
  readonly edgeProcesses: readonly ManagedProcess[];
  readonly adminToken: string;
  readonly databaseUrl: string;
  /** Folders in which Gatehouse keeps anything: data directories, stores. */
  readonly folders: readonly string[];
  stop(): Promise<void>;
}

/** Settings a story adds to every process. */
export type ExtraEnv = Readonly<Record<string, string>>;

const START_MS = 90_000;

/** Settings of a story: for every process, for edges only, for auth only. */
export interface StoryEnv {
  shared?: ExtraEnv;
  edge?: ExtraEnv;
  auth?: ExtraEnv;
}

/**
 * Runs a story against both forms: the one process on embedded stores, and the five services with two
 * edges over real NATS, Redis and PostgreSQL, which the story starts itself. Settings that depend on
 * what the story runs (an identity provider) are asked for just before the start.
 */
export function inBothForms(name: string, story: (world: () => World) => void, env: () => StoryEnv | Promise<StoryEnv> = () => ({})): void {
  describe(`${name}, one process`, () => story(started(async () => startEmbedded(merged(await env())))));
  const missing = (['nats-server', 'redis-server', 'postgres'] as const).find((binary) => findServerBinary(binary) === undefined);
  serverLeg(missing ?? 'nats-server', `${name}, five services`, () => story(started(async () => startDistributed(await env()))));
}

function merged({ shared, edge, auth }: StoryEnv): ExtraEnv {
  return { ...shared, ...edge, ...auth };
}

function started(start: () => Promise<World>): () => World {
  let world: World | undefined;
  beforeAll(async () => {
    world = await start();
  }, START_MS);
  afterAll(() => world?.stop(), START_MS);
  return () => world!;
}

/** Registers a server and waits until a probe has looked at it. */
export async function registered(world: World, body: Record<string, unknown>): Promise<any> {
  const api = admin(world);
  const server = await api.ok('POST', '/servers', { allowPrivateNetwork: true, ...body });
  return eventually(async () => {
    const shown = await api.ok('GET', `/servers/${server.name}`);
    return shown.health.status === 'unknown' ? undefined : shown;
  });
}

/** Waits until every edge serves a server by that name. */
export async function servedEverywhere(world: World, name: string): Promise<void> {
  for (const edge of world.edges) {
    await eventually(async () => {
      const answer = await fetch(`${edge}/mcp/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.adminToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      });
      await answer.arrayBuffer();
      return answer.status === 404 ? undefined : true;
    });
  }
}
