import type { Bus } from '@gatehouse/bus';
import { Database } from '@gatehouse/persistence';
import { Metrics, nestLogger, type Logger } from '@gatehouse/telemetry';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditModule } from './audit-module.js';
import { EntryLog } from './log/entry-log.js';
import { AUDIT_MIGRATIONS } from './migrations.js';
import { LogWatch } from './records/log-watch.js';
import { readLength, Records } from './records/records.js';

/** What the audit service is started with. */
export interface AuditOptions {
  bus: Bus;
  log: Logger;
  /** Kept but shown nowhere when not given. */
  metrics?: Metrics;
  /** URL of the PostgreSQL database; the schema is `audit`. */
  database: string;
  /** The parsed configuration; nothing in it is the audit service's own yet. */
  config?: object;
}

/** A running service. */
export interface RunningService {
  /** True, or what is missing. */
  ready(): Promise<true | string>;
  /** Stops taking requests, lets running ones finish, closes what it opened. */
  close(): Promise<void>;
}

interface Connections {
  readonly writer: Database;
  readonly reader: Database;
}

/** Two pools, so that slow questions never hold up the receipts that edges wait for. */
const POOL_SIZE = 4;

/** Starts the audit service. Refuses with a `Fault` of one line when there is no database. */
export async function startAuditService(options: AuditOptions): Promise<RunningService> {
  const connections = await connect(options.database);
  try {
    return await serve(options, connections);
  } catch (error) {
    await disconnect(connections);
    throw error;
  }
}

async function connect(url: string): Promise<Connections> {
  const shape = { url, schema: 'audit', migrations: AUDIT_MIGRATIONS, poolSize: POOL_SIZE };
  const writer = await Database.open(shape);
  try {
    return { writer, reader: await Database.open({ ...shape, applicationName: 'gatehouse-audit-reader' }) };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function disconnect({ writer, reader }: Connections): Promise<void> {
  await writer.close();
  await reader.close();
}

async function serve({ bus, log, metrics = new Metrics() }: AuditOptions, connections: Connections): Promise<RunningService> {
  const { writer, reader } = connections;
  const watch = new LogWatch(() => readLength(reader), log);
  const entries = new EntryLog({ db: writer, log, metrics, onCommit: (seq) => watch.grown(seq) });
  const module = AuditModule.with({ entries, records: new Records(reader, watch) });
  const app = await NestFactory.createMicroservice(module, { strategy: bus.strategy(), logger: nestLogger(log) });
  await app.listen();
  return { ready: () => readiness(bus, writer), close: () => closeAll(app, watch, connections) };
}

async function readiness(bus: Bus, db: Database): Promise<true | string> {
  if (bus.state() !== 'up') return 'bus';
  return (await db.ping()) ? true : 'database';
}

async function closeAll(app: INestMicroservice, watch: LogWatch, connections: Connections): Promise<void> {
  watch.close();
  await app.close();
  await disconnect(connections);
}
