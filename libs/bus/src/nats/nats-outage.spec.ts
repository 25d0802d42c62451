import { setTimeout as sleep } from 'node:timers/promises';
import { serverLeg, startNats, type TestServer } from '@gatehouse/testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { ServiceName } from '@gatehouse/contracts';
import type { Bus } from '../bus.js';
import { echo, eventually, misbehave, newEvent, serveEcho } from '../stage.conformance.js';
import { EVENT_STREAM } from './event-stream.js';
import { natsBus } from './nats-bus.js';

const UNAVAILABLE = { name: 'Refusal', code: 'service_unavailable' };

async function refusedWithin(limitMs: number, call: Promise<unknown>): Promise<void> {
  const started = performance.now();
  await expect(call).rejects.toMatchObject(UNAVAILABLE);
  expect(performance.now() - started).toBeLessThan(limitMs);
}

serverLeg('nats-server', 'when nats-server goes away', () => {
  let server: TestServer;
  let gateway: Bus;
  let audit: Bus;
  let policy: Bus;
  let app: INestMicroservice;
  const open = (service: ServiceName): Promise<Bus> => natsBus({ url: server.url, service, retryDelayMs: () => 20 });

  beforeEach(async () => {
    server = await startNats();
    [gateway, audit, policy] = (await Promise.all((['gateway', 'audit', 'policy'] as const).map(open))) as [Bus, Bus, Bus];
    app = await serveEcho(audit, 'a');
  });
  afterEach(async () => {
    await app.close();
    await Promise.all([gateway, audit, policy].map((bus) => bus.close()));
    await server.stop();
  });

  const allAre = (state: 'up' | 'down') => (): boolean => [gateway, audit, policy].every((bus) => bus.state() === state);

  it('is down and refuses at once, also what was in flight, and is up and answering after the restart', async () => {
    const inFlight = gateway.request({ ...misbehave, timeoutMs: 20_000 }, { how: 'hang' });
    const refused = refusedWithin(2_000, inFlight);
    await sleep(100);
    await server.kill('SIGKILL');
    await refused;
    await eventually(allAre('down'));
    await refusedWithin(200, gateway.request(echo, { text: 'x' }));
    await refusedWithin(200, policy.events.publish(newEvent(), { n: 1 }, 'd'));
    await refusedWithin(200, gateway.events.follow(newEvent(), () => undefined));
    await server.restart();
    await eventually(allAre('up'), 10_000);
    expect(await gateway.request(echo, { text: 'x' })).toEqual({ text: 'x', by: 'a' });
  });

  it('resumes consuming and following after a kill and restart, without loss or repeat', async () => {
    const event = newEvent();
    const done: number[] = [];
    const heard: number[] = [];
    await audit.events.consume(event, 'work', async ({ n }) => void done.push(n));
    await gateway.events.follow(event, ({ n }) => void heard.push(n));
    await policy.events.publish(event, { n: 1 }, `${event.subject}-1`);
    await eventually(() => done.length === 1 && heard.length === 1);
    await server.kill('SIGKILL');
    await server.restart();
    await eventually(allAre('up'), 10_000);
    await policy.events.publish(event, { n: 2 }, `${event.subject}-2`);
    await eventually(() => done.length === 2 && heard.length === 2, 20_000);
    expect([done, heard]).toEqual([[1, 2], [1, 2]]);
  });

  it('closes in time while nats-server is away', async () => {
    await gateway.events.follow(newEvent(), () => undefined);
    await server.kill('SIGKILL');
    await eventually(allAre('down'));
    const started = performance.now();
    await gateway.close();
    await app.close();
    await audit.close();
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('makes the stream and its consumers again when the server lost them, and goes on', async () => {
    const event = newEvent();
    const done: number[] = [];
    const heard: number[] = [];
    await audit.events.consume(event, 'work', async ({ n }) => void done.push(n));
    await gateway.events.follow(event, ({ n }) => void heard.push(n));
    for (const n of [1, 2, 3]) await policy.events.publish(event, { n }, `${event.subject}-${n}`);
    await eventually(() => done.length === 3 && heard.length === 3);
    await loseStream(server.url);
    await policy.events.publish(event, { n: 4 }, `${event.subject}-4`);
    await eventually(() => done.length === 4 && heard.length === 4, 20_000);
    expect([done, heard]).toEqual([[1, 2, 3, 4], [1, 2, 3, 4]]);
  });
});

async function loseStream(url: string): Promise<void> {
  const connection = await connect({ servers: url });
  await (await jetstreamManager(connection)).streams.delete(EVENT_STREAM);
  await connection.close();
}
