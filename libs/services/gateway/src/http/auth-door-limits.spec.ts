import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { systemClock } from '@gatehouse/kernel';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { buildEdge, type EdgeParts } from '../build-edge.js';
import { Spool } from '../spool/spool.js';
import { remoteBackend, sameProcessBackend } from './auth-backend.js';
import { AuthDoor } from './auth-door.js';
import { authPathOf } from './auth-paths.js';

const ANSWER_MS = 100;
const publicUrl = new URL('http://gatehouse.test');

describe.each(['in the same process', 'at an address'])('when auth does not answer, %s', (form) => {
  const log = createLogger({ service: 'gateway', level: 'silent' });
  let folder: string;
  let bus: Bus;
  let spool: Spool;
  let parts: EdgeParts;
  let auth: Server;
  let door: AuthDoor;
  let server: Server;
  let aborted = 0;
  let starts = false;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-door-'));
    bus = inProcessBus(new InProcessBroker(), 'gateway');
    spool = await Spool.open({ dir: folder, log, clock: systemClock });
    const settings = {
      ...{ listen: { host: '127.0.0.1', port: 0 }, publicUrl, spoolDir: folder, ownPorts: [], trustedCas: [] },
      ...{ policyMaxAgeMs: 1_000, directoryMaxAgeMs: 1_000, upstreamHeadMs: 1_000, upstreamSilenceMs: 1_000 },
    };
    parts = buildEdge({ bus, ephemeral: memoryEphemeral(), clock: systemClock, log, metrics: new Metrics(), settings, spool });
    auth = createServer((_request, response) => {
      response.once('close', () => (aborted += 1));
      if (starts) response.writeHead(200, { 'content-type': 'text/plain' }).write('half');
    }).listen(0, '127.0.0.1');
    await once(auth, 'listening');
    const url = new URL(`http://127.0.0.1:${(auth.address() as AddressInfo).port}`);
    const backend = form === 'at an address' ? remoteBackend(url, []) : sameProcessBackend(auth.listeners('request')[0] as never);
    door = new AuthDoor(backend, publicUrl, ANSWER_MS);
    server = createServer((got, response) => door.handle(got, response, authPathOf(got.url)!, parts.edge)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    door.close();
    for (const each of [server, auth]) {
      each.closeAllConnections();
      each.close();
    }
    await parts.outbound.close();
    await spool.close();
    await bus.close();
    await rm(folder, { recursive: true, force: true });
  });

  const asked = (): Promise<{ status: number; whole: boolean }> =>
    new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/login', headers: { host: 'gatehouse.test' }, agent: false }, (answer) => {
        answer.resume().on('error', () => undefined).on('close', () => resolve({ status: answer.statusCode!, whole: answer.complete }));
      });
      call.on('error', reject).end();
    });

  it('the client is told in time, and auth that nobody waits any more', async () => {
    expect(await asked()).toEqual({ status: 504, whole: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(aborted).toBe(1);
  });

  it('an answer that began is cut, never ended as if it were whole', async () => {
    starts = true;
    expect(await asked()).toEqual({ status: 200, whole: false });
  });
});
