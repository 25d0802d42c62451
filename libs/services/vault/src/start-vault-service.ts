import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import { Database, Outbox } from '@gatehouse/persistence';
import { nestLogger, type Logger, type Metrics } from '@gatehouse/telemetry';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Credentials } from './credentials/credentials.js';
import { SecretSealer } from './credentials/secret-sealer.js';
import { CredentialKeys } from './keys/credential-keys.js';
import { EntryKeys } from './keys/entry-keys.js';
import { KeyRoot } from './keys/key-root.js';
import { hasWrappedKeys } from './keys/key-rows.js';
import { KeyStore } from './keys/key-store.js';
import { ServiceKeys } from './keys/service-keys.js';
import { TokenSigningKeys } from './keys/token-signing-keys.js';
import { Unsealing } from './keys/unsealing.js';
import { VAULT_MIGRATIONS } from './migrations.js';
import { openProviders } from './providers/open-providers.js';
import { chooseRoot } from './providers/provider-settings.js';
import { KeyMove } from './rotation/key-move.js';
import { RotationJob } from './rotation/rotation-job.js';
import { Rotations } from './rotation/rotations.js';
import { SecretMove } from './rotation/secret-move.js';
import { ServiceSecrets } from './service-secrets/service-secrets.js';
import type { VaultConfig } from './vault-config.js';
import { VaultModule, type VaultParts } from './vault-module.js';

/** What the vault is started with. */
export interface VaultOptions {
  bus: Bus;
  log: Logger;
  metrics: Metrics;
  clock?: Clock;
  /** URL of the PostgreSQL database; the vault's schema is `vault`. */
  database: string;
  config: VaultConfig;
  /** Single-process form: where the key file lies, made at the first start, unless the configuration names one. */
  embeddedKeyFile?: string;
  /** PEM certificates to trust towards a key service besides the well-known ones. */
  trustedCas?: readonly string[];
}

/** A running service. */
export interface RunningService {
  /** True, or what is missing. */
  ready(): Promise<true | string>;
  /** Stops taking requests, lets running ones finish, closes what it opened. */
  close(): Promise<void>;
}

/** What the vault opened and closes again. */
interface Ground {
  db: Database;
  outbound: Outbound;
  root: KeyRoot;
  keys: KeyStore;
  unsealing: Unsealing;
}

/**
 * Starts the vault. Refuses with a `Fault` of one line: settings of the key-encryption key that do not
 * go together, no or a bad key file, one that is not the one the database was sealed with, another
 * environment's database, no database. A key service that is away refuses nothing: the vault is not
 * ready, says so, answers `vault_unavailable`, and opens by itself when the service is back.
 */
export async function startVaultService(options: VaultOptions): Promise<RunningService> {
  const choice = chooseRoot(options.config);
  const db = await Database.open({ url: options.database, schema: 'vault', migrations: VAULT_MIGRATIONS });
  const outbound = new Outbound({ trustedCas: options.trustedCas ?? [] });
  try {
    const { clock, embeddedKeyFile, config, log } = options;
    const { active, previous } = await openProviders(choice, { outbound, clock, embeddedKeyFile, hasKeys: await hasWrappedKeys(db) });
    const root = new KeyRoot(active, previous, config.environment);
    const keys = new KeyStore(db, root, clock);
    const unsealing = new Unsealing(keys, log.child({ kekId: active.id }));
    await unsealing.start();
    return await serve(options, { db, outbound, root, keys, unsealing });
  } catch (error) {
    await outbound.close();
    await db.close();
    throw error;
  }
}

async function serve(options: VaultOptions, ground: Ground): Promise<RunningService> {
  const { bus, log } = options;
  const { db, unsealing } = ground;
  const outbox = new Outbox(db, bus.events.publishRaw.bind(bus.events), (error) => log.warn({ err: error }, 'events wait in the outbox'));
  const { job, ...parts } = buildParts(options, ground, outbox);
  const app = await NestFactory.createMicroservice(VaultModule.with(parts), { strategy: bus.strategy(), logger: nestLogger(log) });
  await app.listen();
  outbox.start();
  job.start();
  const close = async (): Promise<void> => {
    await job.stop();
    await closeAll(app, outbox, ground);
  };
  return { ready: () => readiness(bus, db, unsealing), close };
}

function buildParts({ log, metrics, config, clock }: VaultOptions, { db, keys, root }: Ground, outbox: Outbox): VaultParts & { job: RotationJob } {
  const entryKeys = new EntryKeys(keys);
  const credentialKeys = new CredentialKeys(keys);
  const sealer = new SecretSealer(credentialKeys, config.environment, clock);
  const base = { db, entryKeys, log, ...(clock === undefined ? {} : { clock }) };
  const serviceSecrets = new ServiceSecrets({ ...base, keys: credentialKeys, environment: config.environment });
  const rootMove = new KeyMove(root, log);
  // One that moves, one that only counts: a move keeps the key it began with.
  const [secretMove, counted] = [1, 2].map(() => new SecretMove({ keys: credentialKeys, sealer, serviceSecrets, log })) as [SecretMove, SecretMove];
  const providerUp = metrics.gauge('gatehouse_vault_key_provider_up', 'Whether the provider of the key-encryption key worked when it was last asked.');
  const job = new RotationJob({ db, keys, credentialKeys, moves: [rootMove, secretMove], providerUp, log, clock });
  return {
    credentials: new Credentials({ ...base, outbox, sealer, metrics }),
    entryKeys,
    serviceKeys: new ServiceKeys(keys, clock),
    tokenKeys: new TokenSigningKeys(keys, log, clock),
    serviceSecrets,
    rotations: new Rotations({ db, keys, root, job, rootMove, secretMove: counted, log }),
    job,
  };
}

async function readiness(bus: Bus, db: Database, unsealing: Unsealing): Promise<true | string> {
  if (bus.state() === 'down') return 'bus';
  return (await db.ping()) ? unsealing.ready : 'database';
}

async function closeAll(app: INestMicroservice, outbox: Outbox, { db, outbound, unsealing }: Ground): Promise<void> {
  await unsealing.stop();
  await app.close();
  await outbox.stop();
  await outbound.close();
  await db.close();
}
