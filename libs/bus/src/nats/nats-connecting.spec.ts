import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Secret } from '@gatehouse/kernel';
import { freePort, serverLeg, startNats, type TestServer } from '@gatehouse/testing';
import { afterEach, expect, it } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Bus } from '../bus.js';
import { echo, newEvent, serveEcho } from '../stage.conformance.js';
import { natsBus, type NatsBusOptions } from './nats-bus.js';

serverLeg('nats-server', 'connecting to nats-server', () => {
  const servers: TestServer[] = [];
  const buses: Bus[] = [];
  const folders: string[] = [];
  const start = async (...args: string[]): Promise<TestServer> => {
    const server = await startNats(args);
    servers.push(server);
    return server;
  };
  const open = async (options: NatsBusOptions): Promise<Bus> => {
    const bus = await natsBus(options);
    buses.push(bus);
    return bus;
  };
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  });

  it('signs in with user and password, for asking, answering and events', async () => {
    const { url } = await start('--user', 'gate', '--pass', 'open-sesame');
    const signIn = { url, user: 'gate', password: Secret.fromText('open-sesame') };
    const [audit, gateway] = [await open({ ...signIn, service: 'audit' }), await open({ ...signIn, service: 'gateway' })];
    const app = await serveEcho(audit, 'a');
    expect(await gateway.request(echo, { text: 'x' })).toEqual({ text: 'x', by: 'a' });
    await gateway.events.publishRaw(newEvent().subject, { n: 1 }, 'd');
    await app.close();
  });

  it('gives up at once when the sign-in is refused, without telling the password', async () => {
    const { url } = await start('--user', 'gate', '--pass', 'open-sesame');
    const opening = open({ url, service: 'audit', user: 'gate', password: Secret.fromText('hunter2') });
    const error: unknown = await opening.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Fault' });
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
  });

  it('gives up after the limit when nothing is there', async () => {
    const url = `nats://127.0.0.1:${await freePort()}`;
    await expect(open({ url, service: 'audit', startLimitMs: 100 })).rejects.toMatchObject({ name: 'Fault' });
  });

  it('waits for a server that comes later', async () => {
    const server = await start();
    await server.kill('SIGKILL');
    const opening = open({ url: server.url, service: 'audit' });
    await server.restart();
    expect((await opening).state()).toBe('up');
  });

  it('refuses with too_large what a server with a smaller limit does not take', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bus-'));
    folders.push(folder);
    await writeFile(join(folder, 'nats.conf'), 'max_payload: 64KB\n');
    const { url } = await start('-c', join(folder, 'nats.conf'));
    const bus = await open({ url, service: 'gateway' });
    await expect(bus.request(echo, { text: 'x'.repeat(100_000) })).rejects.toMatchObject({ code: 'too_large' });
    await expect(bus.events.publishRaw(newEvent().subject, 'x'.repeat(100_000), 'd')).rejects.toMatchObject({ code: 'too_large' });
  });

  it('takes an answer that is not JSON for an internal error and goes on', async () => {
    const { url } = await start();
    const rogue: NatsConnection = await connect({ servers: url });
    rogue.subscribe(echo.subject, { callback: (_error, message) => void message.respond('<html>') });
    await rogue.flush();
    const bus = await open({ url, service: 'gateway' });
    await expect(bus.request(echo, { text: 'x' })).rejects.toMatchObject({ name: 'Refusal', code: 'internal' });
    expect(bus.state()).toBe('up');
    await rogue.close();
  });
});
