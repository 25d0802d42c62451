import 'reflect-metadata';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BUS, type Bus } from '@gatehouse/bus';
import { auditContracts } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import { asRefusalOrFault, Fault, systemClock, type Clock } from '@gatehouse/kernel';
import { nestLogger, type HealthChecks, type Logger, type Metrics } from '@gatehouse/telemetry';
import { adminAdapter } from './admin/admin-adapter.js';
import { EDGE } from './admin/admin-guard.js';
import { OUTBOUND } from './admin/server-registration.js';
import { SnapshotWaits } from './admin/snapshot-waits.js';
import { HEALTH } from './admin/system.controller.js';
import { buildEdge, followCredentialChanges, followSessionEnds, type EdgeParts } from './build-edge.js';
import type { GatewaySettings } from './gateway-config.js';
import { GatewayModule } from './gateway.module.js';
import { remoteBackend, sameProcessBackend } from './http/auth-backend.js';
import { AuthDoor } from './http/auth-door.js';
import { createEdgeServer } from './http/edge-server.js';
import { Spool } from './spool/spool.js';
import { showSpoolFigures } from './spool-figures.js';

/** What starting an edge needs. */
export interface GatewayOptions {
  bus: Bus;
  ephemeral: Ephemeral;
  log: Logger;
  metrics: Metrics;
  health: HealthChecks;
  clock?: Clock;
  settings: GatewaySettings;
  /** Auth's own handler, where it runs in this process; else `settings.authUrl` says where it is. */
  authDoor?: RequestListener;
}

/** A running edge. */
export interface RunningGateway {
  /** The port bound: the one configured, or what the system gave for 0. */
  port: number;
  /** True, or what is missing. */
  ready(): true | string;
  /** Refuses new calls, lets those in flight end, ships the spool, stops. */
  close(): Promise<void>;
}

const RETRY_MS = 200;
const REVIEW_MS = 1_000;
const DRAIN_MS = 20_000;
const SHIP_MS = 3_000;

/**
 * Starts an edge: the listener first, so that health can be asked, then keys and snapshots as soon as
 * vault, policy and auth are there. Until then every call is refused and readiness names what is missing.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { bus, log, settings, clock = systemClock } = options;
  const spool = await Spool.open({ dir: settings.spoolDir, log, clock });
  const parts = buildEdge({ ...options, clock, spool });
  showSpoolFigures(options.metrics, spool);
  const door = doorTo(options);
  const { server, app } = await listen(parts, options, door);
  const stop = new AbortController();
  const loaded = loadKeys(parts, log, stop.signal).then(() => startFeeds(parts, bus));
  void loaded.then(() => parts.keys.follow((error) => log.warn({ code: asRefusalOrFault(error).code }, 'keys not leased again; those held go on')));
  spool.startShipping((batch) => bus.request(auditContracts.appendEntries, batch));
  const review = setInterval(() => parts.edge.streams.review(), REVIEW_MS).unref();
  const ready = (): true | string => readiness(parts, spool);
  options.health.register('gateway', ready);
  return {
    port: (server.address() as AddressInfo).port,
    ready,
    close: async () => {
      parts.edge.draining = true;
      clearInterval(review);
      stop.abort();
      parts.keys.close();
      await drain(server, parts);
      const subscriptions = await loaded;
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await app.close();
      await spool.drain(SHIP_MS);
      await spool.close();
      door?.close();
      parts.edge.sse.close();
      await parts.outbound.close();
    },
  };
}

function doorTo({ authDoor, settings: { authUrl, publicUrl, trustedCas } }: GatewayOptions): AuthDoor | undefined {
  if (authDoor !== undefined) return new AuthDoor(sameProcessBackend(authDoor), publicUrl);
  return authUrl === undefined ? undefined : new AuthDoor(remoteBackend(authUrl, trustedCas), publicUrl);
}

async function listen(parts: EdgeParts, options: GatewayOptions, door: AuthDoor | undefined): Promise<{ server: Server; app: NestFastifyApplication }> {
  let server: Server | undefined;
  const adapter = adminAdapter(parts.edge, (nest) => (server = createEdgeServer(parts.edge, nest, door)));
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(providers(parts, options)), adapter, {
    logger: nestLogger(options.log),
    abortOnError: false,
    bodyParser: false,
  });
  await bind(app, options.settings.listen);
  return { server: server!, app };
}

async function bind(app: NestFastifyApplication, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    throw new Fault(`cannot listen on ${host}:${port}`, { cause });
  }
}

function providers(parts: EdgeParts, { bus, health }: GatewayOptions): Provider[] {
  return [
    { provide: BUS, useValue: bus },
    { provide: EDGE, useValue: parts.edge },
    { provide: OUTBOUND, useValue: parts.outbound },
    { provide: HEALTH, useValue: health },
    { provide: SnapshotWaits, useValue: new SnapshotWaits(parts.policyFeed, parts.directoryFeed) },
  ];
}

async function loadKeys({ keys }: EdgeParts, log: GatewayOptions['log'], signal: AbortSignal): Promise<void> {
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      return await keys.load();
    } catch (error) {
      if (tries % 25 === 0) log.info({ code: asRefusalOrFault(error).code, err: error }, 'waiting for the vault');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function startFeeds({ edge, statements, policyFeed, directoryFeed, mirror, probes }: EdgeParts, bus: Bus): Promise<{ close(): Promise<void> }[]> {
  await statements.start();
  await Promise.all([policyFeed.start(), directoryFeed.start(), edge.sessions.start(), probes.start()]);
  mirror.start();
  return [statements, policyFeed, directoryFeed, edge.sessions, probes, mirror, await followCredentialChanges(bus, edge.leases), await followSessionEnds(bus, edge.sse)];
}

function readiness({ edge, keys, policyFeed, directoryFeed }: EdgeParts, spool: Spool): true | string {
  if (edge.draining) return 'draining';
  const health = spool.state();
  const missing = [keys.health(), policyFeed.health(), directoryFeed.health(), health.healthy ? true : `audit spool: ${health.reason}`];
  const named = missing.filter((each) => each !== true);
  return named.length === 0 ? true : named.join('; ');
}

async function drain(server: Server, { edge }: EdgeParts): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  edge.streams.drain();
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), 100).unref();
  const late = setTimeout(() => {
    edge.streams.cutAll();
    server.closeAllConnections();
  }, DRAIN_MS).unref();
  await closed;
  clearInterval(sweep);
  clearTimeout(late);
}
