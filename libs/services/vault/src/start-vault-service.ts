import type { Bus } from '@gatehouse/bus';
import { Fault, type Clock } from '@gatehouse/kernel';
import { Database, Outbox } from '@gatehouse/persistence';
import { nestLogger, type Logger, type Metrics } from '@gatehouse/telemetry';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Credentials } from './credentials/credentials.js';
import { SecretSealer } from './credentials/secret-sealer.js';
import { CredentialKeys } from './keys/credential-keys.js';
import { EntryKeys } from './keys/entry-keys.js';
import { hasWrappedKeys, KeyStore } from './keys/key-store.js';
import { loadKeyEncryptionKey, type KeyFileLocation } from './keys/load-key-encryption-key.js';
import { ServiceKeys } from './keys/service-keys.js';
import { TokenSigningKeys } from './keys/token-signing-keys.js';
import { VAULT_MIGRATIONS } from './migrations.js';
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
}

/** A running service. */
export interface RunningService {
  /** True, or what is missing. */
  ready(): Promise<true | string>;
  /** Stops taking requests, lets running ones finish, closes what it opened. */
  close(): Promise<void>;
}

/**
 * Starts the vault. Refuses with a `Fault` of one line: no or a bad key file, a key file that is
 * not the one the database was sealed with, another environment's database, no database.
 */
export async function startVaultService(options: VaultOptions): Promise<RunningService> {
  const location = keyFileLocation(options);
  const db = await Database.open({ url: options.database, schema: 'vault', migrations: VAULT_MIGRATIONS });
  try {
    const kek = await loadKeyEncryptionKey(location, await hasWrappedKeys(db));
    const keys = new KeyStore(db, kek, options.config.environment, options.clock);
    await keys.ensureActive();
    options.log.info({ kekId: kek.id }, 'vault keys opened');
    return await serve(options, db, keys);
  } catch (error) {
    await db.close();
    throw error;
  }
}

function keyFileLocation({ config, embeddedKeyFile }: VaultOptions): KeyFileLocation {
  if (config.kekFile !== undefined) return { path: config.kekFile, mayCreate: false };
  if (embeddedKeyFile !== undefined) return { path: embeddedKeyFile, mayCreate: true };
  throw new Fault('GATEHOUSE_KEK_FILE is not set: the vault needs a file with its key-encryption key');
}

async function serve(options: VaultOptions, db: Database, keys: KeyStore): Promise<RunningService> {
  const { bus, log } = options;
  const outbox = new Outbox(db, bus.events.publishRaw.bind(bus.events), (error) => log.warn({ err: error }, 'events wait in the outbox'));
  const module = VaultModule.with(buildParts(options, { db, outbox, keys }));
  const app = await NestFactory.createMicroservice(module, { strategy: bus.strategy(), logger: nestLogger(log) });
  await app.listen();
  outbox.start();
  return { ready: () => readiness(bus, db), close: () => closeAll(app, outbox, db) };
}

function buildParts({ log, metrics, config, clock }: VaultOptions, own: { db: Database; outbox: Outbox; keys: KeyStore }): VaultParts {
  const { db, outbox } = own;
  const entryKeys = new EntryKeys(own.keys);
  const keys = new CredentialKeys(own.keys);
  const sealer = new SecretSealer(keys, config.environment, clock);
  const base = { db, entryKeys, log, ...(clock === undefined ? {} : { clock }) };
  return {
    credentials: new Credentials({ ...base, outbox, sealer, metrics }),
    entryKeys,
    serviceKeys: new ServiceKeys(own.keys),
    tokenKeys: new TokenSigningKeys(own.keys, log, clock),
    serviceSecrets: new ServiceSecrets({ ...base, keys, environment: config.environment }),
  };
}

async function readiness(bus: Bus, db: Database): Promise<true | string> {
  if (bus.state() === 'down') return 'bus';
  return (await db.ping()) ? true : 'database';
}

async function closeAll(app: INestMicroservice, outbox: Outbox, db: Database): Promise<void> {
  await app.close();
  await outbox.stop();
  await db.close();
}
