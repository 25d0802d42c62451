import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startNats, startPostgres, startRedis, type TestServer } from '@gatehouse/testing';
import { ManagedProcess } from './managed-process.js';
import type { StoryEnv, World } from './world.js';

/** The stores of a distributed Gatehouse, for stories that hurt them. */
export interface Stores {
  nats: TestServer;
  redis: TestServer;
  postgres: TestServer;
}

/** A distributed Gatehouse with its stores. */
export interface DistributedWorld extends World {
  readonly stores: Stores;
}

const EDGES = 2;

/** Starts NATS, Redis, PostgreSQL, the five services and two edges, each in its own process. */
export async function startDistributed({ shared: env, edge: edgeEnv, auth: authEnv }: StoryEnv = {}): Promise<DistributedWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-five-'));
  const [nats, redis, postgres] = await Promise.all([startNats(), startRedis(), startPostgres()]);
  const stores = { nats, redis, postgres };
  const adminToken = randomBytes(36).toString('base64url');
  const files = await secretFiles(folder, adminToken);
  const shared = { GATEHOUSE_NATS_URL: nats.url, GATEHOUSE_LOG_LEVEL: 'debug', ...env };
  const withDatabase = { ...shared, GATEHOUSE_DATABASE_URL: postgres.url };
  const ports = await Promise.all(Array.from({ length: EDGES }, () => freePort()));
  const edges = ports.map((port) => `http://127.0.0.1:${port}`);
  // Clients know one address; the other edge answers under it too.
  const publicUrl = edges[0]!;
  const authAddress = `127.0.0.1:${await freePort()}`;
  const plans: [app: string, env: Record<string, string>][] = [
    ['vault', { ...withDatabase, GATEHOUSE_KEK_FILE: files.kek }],
    ['auth', { ...withDatabase, ...authEnv, GATEHOUSE_PUBLIC_URL: publicUrl, GATEHOUSE_AUTH_LISTEN: authAddress, GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_ADMIN_TOKEN_FILE: files.token }],
    ['policy', withDatabase],
    ['audit', withDatabase],
  ];
  const services = await Promise.all(plans.map(([app, own]) => processOf(app, own)));
  const edgeProcesses = await Promise.all(
    ports.map((port, at) =>
      processOf('gateway', { ...shared, ...edgeEnv, GATEHOUSE_PUBLIC_URL: publicUrl, GATEHOUSE_AUTH_URL: `http://${authAddress}`, GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_LISTEN: `127.0.0.1:${port}`, GATEHOUSE_DATA_DIR: join(folder, `edge-${at}`) }),
    ),
  );
  const processes = [...services, ...edgeProcesses];
  const stop = async (): Promise<void> => {
    await Promise.all(edgeProcesses.map((each) => each.stop()));
    await Promise.all(services.map((each) => each.stop()));
    await Promise.all([nats.stop(), redis.stop(), postgres.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(processes.map((each) => each.start()));
    await Promise.all(processes.map((each) => each.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { form: 'five services', edges, processes, edgeProcesses, adminToken, databaseUrl: postgres.url, folders: [folder], stores, stop };
}

async function processOf(app: string, env: Record<string, string>): Promise<ManagedProcess> {
  const metricsPort = await freePort();
  return new ManagedProcess(app, { ...env, GATEHOUSE_METRICS_LISTEN: `127.0.0.1:${metricsPort}` }, metricsPort);
}

async function secretFiles(folder: string, adminToken: string): Promise<{ kek: string; token: string }> {
  const files = { kek: join(folder, 'kek.key'), token: join(folder, 'admin.token') };
  await writeFile(files.kek, randomBytes(32).toString('base64'), { mode: 0o600 });
  await writeFile(files.token, adminToken, { mode: 0o600 });
  return files;
}
