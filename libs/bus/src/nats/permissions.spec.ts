import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS, REQUESTS, type ServiceName } from '@gatehouse/contracts';
import { serverLeg, startNats, type TestServer } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { natsBus } from './nats-bus.js';
import { EVENT_STREAM } from './event-stream.js';
import { natsPermissions } from './permissions.js';
import { natsServerConfig } from './server-config.js';

const SERVICES: readonly ServiceName[] = ['gateway', 'auth', 'vault', 'policy', 'audit'];

describe('what a service may do on the bus', () => {
  it('never is to ask, or to speak for, another one without a contract', () => {
    expect(natsPermissions('vault').publish.filter((subject) => subject.startsWith('rpc.'))).toEqual([]);
    expect(natsPermissions('gateway').subscribe).toEqual(['_INBOX.gateway.>']);
    expect(natsPermissions('audit').subscribe.every((subject) => subject.startsWith('_INBOX.audit.') || subject.startsWith('rpc.v1.audit.'))).toBe(true);
  });

  it('has no wildcard but in its own inbox and in what JetStream numbers', () => {
    const wild = SERVICES.flatMap((service) => [...natsPermissions(service).publish, ...natsPermissions(service).subscribe]).filter((subject) => /[*>]/.test(subject));
    for (const subject of wild) expect(subject).toMatch(/^(_INBOX\.[a-z]+\.>|\$JS\.(API\.CONSUMER|ACK)\.)/);
  });
});

serverLeg('nats-server', 'a nats-server with the generated configuration', () => {
  let folder: string;
  let server: TestServer;
  const open: NatsConnection[] = [];
  /** A connection of the service, and what the server said it may not. */
  const as = async (service: ServiceName): Promise<{ connection: NatsConnection; refused: string[] }> => {
    const connection = await connect({ servers: server.url, user: service, pass: `pw-${service}`, inboxPrefix: `_INBOX.${service}` });
    open.push(connection);
    const refused: string[] = [];
    void (async () => {
      for await (const status of connection.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    return { connection, refused };
  };
  const refusals = async (refused: string[], connection: NatsConnection): Promise<string[]> => {
    await connection.flush();
    await sleep(2);
    return refused.splice(0);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-bus-'));
    await writeFile(join(folder, 'passwords.conf'), SERVICES.map((service) => `${service}_password: "pw-${service}"\n`).join(''));
    await writeFile(join(folder, 'nats.conf'), natsServerConfig({ passwords: 'passwords.conf' }).replace('http: 127.0.0.1:8222\n', ''));
    server = await startNats(['-c', join(folder, 'nats.conf')]);
    const bus = await natsBus({ url: server.url.replace('//', '//policy:pw-policy@'), service: 'policy' });
    await bus.close();
  });
  afterAll(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('lets nobody in without a user, and nobody with another one’s password', async () => {
    await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow(/authorization/i);
    await expect(connect({ servers: server.url, user: 'vault', pass: 'pw-gateway', reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it.each(SERVICES)('lets %s ask what it is a caller of and nothing else, subject by subject', async (service) => {
    const { connection, refused } = await as(service);
    const wrong: string[] = [];
    for (const { subject, callers } of REQUESTS) {
      connection.publish(subject, '{}');
      const isRefused = (await refusals(refused, connection)).length > 0;
      if (isRefused === callers.includes(service)) wrong.push(subject);
    }
    expect(wrong).toEqual([]);
  });

  it.each(SERVICES)('lets %s announce its own events and no others', async (service) => {
    const { connection, refused } = await as(service);
    const wrong: string[] = [];
    for (const { subject, owner } of EVENTS) {
      connection.publish(subject, '{}');
      const isRefused = (await refusals(refused, connection)).length > 0;
      if (isRefused === (owner === service)) wrong.push(subject);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['gateway', 'rpc.v1.vault.>'],
    ['gateway', 'rpc.v1.vault.credential.lease'],
    ['gateway', '_INBOX.auth.>'],
    ['gateway', '>'],
    ['policy', 'evt.v1.>'],
    ['auth', 'rpc.v1.auth.token.create'],
    ['vault', '$JS.API.>'],
  ] as const)('does not let %s listen on %s', async (service, subject) => {
    const { connection, refused } = await as(service);
    connection.subscribe(subject);
    expect(await refusals(refused, connection)).toHaveLength(1);
  });

  it('lets a service answer as its queue group only', async () => {
    const { connection, refused } = await as('vault');
    connection.subscribe('rpc.v1.vault.credential.lease', { queue: 'gateway' });
    expect(await refusals(refused, connection)).toHaveLength(1);
    connection.subscribe('rpc.v1.vault.credential.lease', { queue: 'vault' });
    expect(await refusals(refused, connection)).toEqual([]);
  });

  it('lets nobody change, empty or delete the stream, nor read what they are not told', async () => {
    const { connection } = await as('gateway');
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 300 });
    await expect(manager.streams.delete(EVENT_STREAM)).rejects.toThrow(/permissions/i);
    await expect(manager.streams.purge(EVENT_STREAM)).rejects.toThrow(/permissions/i);
    await expect(manager.streams.update(EVENT_STREAM, { max_msgs: 1 })).rejects.toThrow(/permissions/i);
    await expect(jetstream(connection).consumers.get(EVENT_STREAM, { filter_subjects: 'evt.v1.auth.identity.changed' })).rejects.toThrow(/permissions/i);
    await expect(jetstream(connection).consumers.get(EVENT_STREAM, { filter_subjects: 'evt.v1.policy.snapshot.published' })).resolves.toBeDefined();
  });
});
