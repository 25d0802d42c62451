import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@gatehouse/kernel';
import { serverLeg, startRedis, type TestServer } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeEphemeral } from './ephemeral.conformance.js';
import type { Ephemeral } from './ephemeral.js';
import { redisEphemeral, type RedisEphemeralOptions } from './redis-ephemeral.js';

const REFUSED_WITHIN_MS = 500;

async function until(state: 'up' | 'down', store: Ephemeral): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (store.state() !== state && Date.now() < deadline) await sleep(20);
  expect(store.state()).toBe(state);
}

async function expectQuickRefusal(call: Promise<unknown>): Promise<void> {
  const started = performance.now();
  await expect(call).rejects.toMatchObject({ name: 'Refusal', code: 'service_unavailable' });
  expect(performance.now() - started).toBeLessThan(REFUSED_WITHIN_MS);
}

serverLeg('redis-server', 'with a real redis-server', () => {
  let server: TestServer;
  const opened: Ephemeral[] = [];
  const open = async (more: Partial<RedisEphemeralOptions> = {}): Promise<Ephemeral> => {
    const store = await redisEphemeral({ url: server.url, keyPrefix: `${randomUUID()}:`, ...more });
    opened.push(store);
    return store;
  };
  beforeAll(async () => void (server = await startRedis()));
  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
  afterAll(() => server.stop());

  describeEphemeral('redis', open);

  it('speaks plainly where its URL says so, whatever authority is trusted elsewhere', async () => {
    const store = await open({ ca: '-----BEGIN CERTIFICATE-----' });
    expect(store.state()).toBe('up');
  });

  it('keeps two installations apart by their key prefix', async () => {
    const [one, other] = [await open(), await open()];
    await one.set('k', 'one', 60_000);
    expect(await other.get('k')).toBeUndefined();
  });

  it('refuses within 500 ms when Redis was killed, and works again after its restart', async () => {
    const lines: string[] = [];
    const store = await open({ log: { warn: (_fields, message) => void lines.push(message) } });
    await server.kill('SIGKILL');
    await expectQuickRefusal(store.get('k'));
    await until('down', store);
    await expectQuickRefusal(store.setIfAbsent('k', 'v', 60_000));
    await server.restart();
    await until('up', store);
    await store.set('k', 'v', 60_000);
    expect(await store.get('k')).toBe('v');
    expect(lines).toEqual(['redis connection lost, reconnecting', 'redis connection is back']);
  });

  it('refuses within 500 ms when Redis hangs, and works again when it continues', async () => {
    const store = await open();
    await server.kill('SIGSTOP');
    await expectQuickRefusal(store.take('k'));
    await until('down', store);
    await expectQuickRefusal(store.get('k'));
    await server.kill('SIGCONT');
    await until('up', store);
    expect(await store.setIfAbsent('fresh', 'v', 60_000)).toBe(true);
  });

  it('starts while Redis is down and finds it later', async () => {
    await server.kill('SIGKILL');
    const store = await open();
    expect(store.state()).toBe('down');
    await expectQuickRefusal(store.get('k'));
    await server.restart();
    await until('up', store);
  });
});

serverLeg('redis-server', 'with a redis-server that asks for a password or is full', () => {
  const servers: TestServer[] = [];
  const start = async (...args: string[]): Promise<TestServer> => {
    const server = await startRedis(args);
    servers.push(server);
    return server;
  };
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('signs in with the password', async () => {
    const server = await start('--user', 'gatehouse', 'on', '>open-sesame', '~*', '+@all');
    const store = await redisEphemeral({ url: server.url, username: 'gatehouse', password: Secret.fromText('open-sesame') });
    await store.set('k', 'v', 60_000);
    expect(await store.get('k')).toBe('v');
    await store.close();
  });

  it('refuses with overloaded when Redis has no memory left', async () => {
    const server = await start('--maxmemory', '1', '--maxmemory-policy', 'noeviction');
    const store = await redisEphemeral({ url: server.url });
    await expect(store.set('k', 'v', 60_000)).rejects.toMatchObject({ code: 'overloaded' });
    await store.close();
  });
});
