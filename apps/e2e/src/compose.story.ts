import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findServerBinary, serverLeg } from '@gatehouse/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { cli, cliJson } from './world/cli.js';
import { startCompose, type ComposeWorld } from './world/compose/compose-world.js';
import { withDemo } from './world/sample.js';
import { eventually } from './world/world.js';

const START_MS = 90_000;
const missing = (['nats-server', 'redis-server', 'postgres'] as const).find((binary) => findServerBinary(binary) === undefined);

serverLeg(missing ?? 'nats-server', 'What deploy/compose starts, with its settings and its stores’ configuration', () => {
  let world: ComposeWorld;
  let demo: { close(): Promise<void> };
  beforeAll(async () => {
    world = await startCompose();
    demo = await withDemo(world);
  }, START_MS);
  afterAll(async () => {
    await demo?.close();
    await world?.stop();
  }, START_MS);
  const databaseOf = async (service: string): Promise<string> => readFile(join(world.volume(`secrets-${service}`), 'database.url'), 'utf8');

  it('serves a call with the token that was made, and keeps its record', async () => {
    const token = (await world.task('admin-token', 'init-secrets')).trim();
    expect(token).toBe(world.adminToken);
    const answer = await cli(world, ['call', 'demo', 'echo', '{"text":"hi"}'], { GATEHOUSE_TOKEN: token });
    expect(answer).toMatchObject({ code: 0, stdout: expect.stringContaining('hi') });
    const record = await eventually(async () => (await cliJson(world, ['audit', 'query', '--tool', 'echo']))[0]);
    expect(record.facts).toMatchObject({ decision: { effect: 'allow' } });
  });

  it('passes sign-in on to auth over TLS', async () => {
    const answer = await fetch(`${world.edges[0]}/.well-known/oauth-authorization-server`);
    expect(await answer.json()).toMatchObject({ issuer: world.edges[0] });
  });

  it('is healthy by the check of its containers', async () => {
    for (const { app } of world.processes) await world.task('healthcheck', app as 'gateway');
  });

  it('never asks its stores for what it may not', async () => {
    expect(await readFile(join(world.folders[0]!, 'nats.log'), 'utf8')).not.toContain('Violation');
    for (const { output } of world.processes) expect(output).not.toMatch(/permissions violation|NOPERM|permission denied/i);
  });

  it('lets no service into another one’s schema', async () => {
    const client = new pg.Client({ connectionString: await databaseOf('policy') });
    await client.connect();
    await expect(client.query('SELECT 1 FROM vault.migrations')).rejects.toThrow('permission denied for schema vault');
    await expect(client.query('CREATE TABLE public.mine (n int)')).rejects.toThrow('permission denied for schema public');
    await expect(client.query('CREATE SCHEMA mine')).rejects.toThrow('permission denied for database');
    await client.end();
    const other = new pg.Client({ connectionString: (await databaseOf('policy')).replace('//policy:', '//vault:') });
    await expect(other.connect()).rejects.toThrow('password authentication failed');
  });

  it('lets nobody into Redis without a password, and nobody do more than keep keys', async () => {
    const stranger = new Redis(world.stores.redis.url, { lazyConnect: true, retryStrategy: () => null }).on('error', () => undefined);
    await expect(stranger.connect().then(() => stranger.get('x'))).rejects.toThrow(/NOAUTH|closed/);
    stranger.disconnect();
    const edge = new Redis(await readFile(join(world.volume('secrets-gateway'), 'redis.url'), 'utf8'));
    await expect(edge.keys('*')).rejects.toThrow('NOPERM');
    await expect(edge.config('GET', '*')).rejects.toThrow('NOPERM');
    await expect(edge.get('another')).rejects.toThrow('NOPERM');
    edge.disconnect();
  });

  it('makes no secret a second time, and lets nobody else read one', async () => {
    const all = async (): Promise<string[]> => {
      const names = (await readdir(join(world.folders[0]!, 'volumes'), { recursive: true })).filter((name) => name.startsWith('secrets-') && name.includes('/'));
      return Promise.all(names.sort().map(async (name) => `${name} ${await readFile(join(world.folders[0]!, 'volumes', name), 'utf8')}`));
    };
    const before = await all();
    await world.task('init-secrets', 'init-secrets');
    expect(await all()).toEqual(before);
    for (const name of before) expect((await stat(join(world.folders[0]!, 'volumes', name.split(' ')[0]!))).mode & 0o007).toBe(0);
  });
});
