import type { Bus } from '@gatehouse/bus';
import { identityContracts, serverContracts, vaultContracts } from '@gatehouse/contracts';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import { Database, Outbox } from '@gatehouse/persistence';
import { SnapshotSigner } from '@gatehouse/snapshots';
import { nestLogger, type Logger } from '@gatehouse/telemetry';
import { NestFactory } from '@nestjs/core';
import { Catalogue } from './catalogue/catalogue.js';
import { POLICY_MIGRATIONS } from './migrations.js';
import { Policies } from './policies/policies.js';
import { PolicyTests } from './policies/policy-tests.js';
import type { PolicyConfig } from './policy-config.js';
import { PolicyModule, type PolicyParts } from './policy-module.js';
import { Presets } from './presets/presets.js';
import { ConnectedIdentities } from './probes/connected-identities.js';
import { Observations } from './probes/observations.js';
import { ProbeSchedule } from './probes/probe-schedule.js';
import { Servers } from './servers/servers.js';
import { SnapshotChanges } from './snapshot/snapshot-changes.js';
import { Snapshots } from './snapshot/snapshots.js';

/** What policy is started with. */
export interface PolicyOptions {
  bus: Bus;
  log: Logger;
  clock?: Clock;
  /** URL of the PostgreSQL database; policy's schema is `policy`. */
  database: string;
  config: PolicyConfig;
}

/** A running service. */
export interface RunningService {
  /** True, or what is missing. */
  ready(): Promise<true | string>;
  /** Stops taking requests, lets running ones finish, closes what it opened. */
  close(): Promise<void>;
}

interface Running extends PolicyParts {
  db: Database;
  outbox: Outbox;
  observations: Observations;
  identities: ConnectedIdentities;
  schedule: ProbeSchedule;
}

/** Durable name under which replicas share what edges saw. */
const OBSERVATIONS = 'policy-observations';
/** The same for identities that changed. */
const IDENTITIES = 'policy-identities';

/**
 * Starts policy. Does not wait for the vault: until it leases the signing key, `ready` names what is missing and
 * snapshots are refused. Refuses with a `Fault` of one line when there is no database.
 */
export async function startPolicyService(options: PolicyOptions): Promise<RunningService> {
  const db = await Database.open({ url: options.database, schema: 'policy', migrations: POLICY_MIGRATIONS });
  try {
    return await serve(options, buildParts(options, db));
  } catch (error) {
    await db.close();
    throw error;
  }
}

function buildParts({ bus, log, clock = systemClock, config }: PolicyOptions, db: Database): Running {
  const outbox = new Outbox(db, bus.events.publishRaw.bind(bus.events), (error) => log.warn({ err: error }, 'events wait in the outbox'));
  const changes = new SnapshotChanges(db, outbox, clock);
  const common = { db, changes, clock, log };
  return {
    db,
    outbox,
    servers: new Servers(common),
    policies: new Policies(common),
    tests: new PolicyTests(db),
    catalogue: new Catalogue(db, log),
    presets: new Presets(common),
    snapshots: new Snapshots(db, new SnapshotSigner(bus, { contract: vaultContracts.leasePolicySigningKey, purpose: 'policy-signing' })),
    observations: new Observations(common),
    identities: new ConnectedIdentities(changes),
    schedule: new ProbeSchedule({ ...common, intervalMs: config.probeIntervalMs }),
  };
}

async function serve({ bus, log }: PolicyOptions, parts: Running): Promise<RunningService> {
  const { db, outbox, schedule, observations, identities } = parts;
  const app = await NestFactory.createMicroservice(PolicyModule.with(parts), { strategy: bus.strategy(), logger: nestLogger(log) });
  await app.listen();
  const observed = await bus.events.consume(serverContracts.toolsObserved, OBSERVATIONS, (part) => observations.take(part));
  const changed = await bus.events.consume(identityContracts.identityChanged, IDENTITIES, (change) => identities.take(change));
  outbox.start();
  schedule.start();
  const close = async (): Promise<void> => {
    await Promise.all([observed.close(), changed.close()]);
    await schedule.stop();
    await app.close();
    await outbox.stop();
    await db.close();
  };
  return { ready: () => readiness({ bus, log }, parts), close };
}

async function readiness({ bus, log }: Pick<PolicyOptions, 'bus' | 'log'>, { db, snapshots }: Running): Promise<true | string> {
  if (bus.state() === 'down') return 'bus';
  if (!(await db.ping())) return 'database';
  try {
    await snapshots.prepare();
    return true;
  } catch (error) {
    // Edges keep the snapshot they hold.
    if (error instanceof Refusal) return 'policy signing key from the vault';
    log.error({ err: error }, 'policy snapshot could not be built');
    return 'policy snapshot could not be built';
  }
}
