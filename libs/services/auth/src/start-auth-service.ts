import type { RequestListener } from 'node:http';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import { Database, Outbox } from '@gatehouse/persistence';
import { SnapshotSigner } from '@gatehouse/snapshots';
import { nestLogger, type Logger, type Metrics } from '@gatehouse/telemetry';
import { NestFactory } from '@nestjs/core';
import type { AuthConfig } from './auth-config.js';
import { AuthModule, type AuthParts } from './auth-module.js';
import { DeniedSweep } from './directory/denied-sweep.js';
import { DirectoryChanges } from './directory/directory-changes.js';
import { DirectoryMirror } from './directory/directory-mirror.js';
import { DirectorySnapshots } from './directory/directory-snapshots.js';
import type { ListenSettings } from './http/listen-settings.js';
import { firstStart } from './first-start/first-start.js';
import { AUTH_MIGRATIONS } from './migrations.js';
import { openWeb, type AuthWeb } from './open-web.js';
import { builtInAdministrator } from './people/person-rows.js';
import { People } from './people/people.js';
import { Roles } from './roles/roles.js';
import { ServiceAccounts } from './service-accounts/service-accounts.js';
import { createSignInLink } from './sign-in/sign-in-links.js';
import { Teams } from './teams/teams.js';
import { Tokens } from './tokens/tokens.js';

/** What auth is started with. */
export interface AuthOptions {
  bus: Bus;
  log: Logger;
  metrics: Metrics;
  ephemeral: Ephemeral;
  clock?: Clock;
  /** URL of the PostgreSQL database; auth's schema is `auth`. */
  database: string;
  config: AuthConfig;
  /** Single-process form: where the first start writes the administrator's token, unless the configuration names a file. */
  adminTokenFile?: string;
  /** Public origin of Gatehouse: where people sign in, and the issuer of our tokens. */
  publicUrl: string;
  /** PEM texts of authorities trusted besides the well-known ones. */
  trustedCas?: readonly string[];
  /** Ports of Gatehouse itself, which no address that a client or a provider names may lead to. */
  ownPorts?: readonly number[];
  /** Where edges in other processes reach the door; in one process they are handed `http`. */
  listen?: ListenSettings;
}

/** A running service. */
export interface RunningService {
  /** The door for browsers and clients: what an edge hands a request to. */
  readonly http: RequestListener;
  /** The port bound, when it listens. */
  readonly port: number | undefined;
  /** True, or what is missing. */
  ready(): Promise<true | string>;
  /** Path and query of a link that signs the built-in administrator in, once, within fifteen minutes. */
  signInLink(): Promise<string>;
  /** Stops taking requests, lets running ones finish, closes what it opened. */
  close(): Promise<void>;
}

interface Running extends Omit<AuthParts, 'identityProviders' | 'localAccounts' | 'tokenIssuers' | 'clients' | 'grants' | 'rotation' | 'identities' | 'refreshes' | 'obtained' | 'upstreams'> {
  db: Database;
  outbox: Outbox;
  signer: SnapshotSigner;
  changes: DirectoryChanges;
  mirror: DirectoryMirror;
  sweep: DeniedSweep;
}

/**
 * Starts auth. Does not wait for the vault: until it leases the signing key, `ready` names it and
 * the directory is refused with `service_unavailable`. Refuses with a `Fault` of one line: no
 * database, or a bad administrator token file.
 */
export async function startAuthService(options: AuthOptions): Promise<RunningService> {
  const db = await Database.open({ url: options.database, schema: 'auth', migrations: AUTH_MIGRATIONS });
  try {
    const parts = buildParts(options, db);
    const { bus, log, clock = systemClock } = options;
    const source = { given: options.config.adminTokenFile, made: options.adminTokenFile };
    await firstStart({ db, outbox: parts.outbox, source, log, clock });
    const { publicUrl: origin, trustedCas = [], ownPorts = [], config } = options;
    const web = await openWeb({ ...parts, bus, log, clock, config, origin, trustedCas, ownPorts });
    return await serve(options, parts, web);
  } catch (error) {
    await db.close();
    throw error;
  }
}

function buildParts({ bus, log, metrics, ephemeral, clock = systemClock }: AuthOptions, db: Database): Running {
  const outbox = new Outbox(db, bus.events.publishRaw.bind(bus.events), (error) => log.warn({ err: error }, 'events wait in the outbox'));
  const signer = new SnapshotSigner(bus, { contract: vaultContracts.leaseDirectorySigningKey, purpose: 'directory-signing' });
  const snapshots = new DirectorySnapshots(db, signer, clock);
  const mirror = new DirectoryMirror(snapshots, ephemeral, log);
  const counter = metrics.counter('gatehouse_auth_directory_changes_total', 'Changes to people and tokens made by this instance.');
  const changes = new DirectoryChanges(db, outbox, () => {
    counter.inc();
    mirror.poke();
  });
  const area = { db, changes, log, clock };
  const callers = { people: new People(area), roles: new Roles(area), teams: new Teams(area), serviceAccounts: new ServiceAccounts(area), tokens: new Tokens(area) };
  return { db, outbox, changes, signer, mirror, sweep: new DeniedSweep(db, log, clock), snapshots, ...callers };
}

async function serve({ bus, log, listen, clock = systemClock }: AuthOptions, parts: Running, web: AuthWeb): Promise<RunningService> {
  const { db, outbox, mirror, signer, sweep } = parts;
  const app = await NestFactory.createMicroservice(AuthModule.with({ ...parts, ...web.authorization, ...web.accounts, upstreams: web.upstreams, identityProviders: web.signIn.identityProviders, localAccounts: web.signIn.localAccounts, tokenIssuers: web.tokenIssuers }), { strategy: bus.strategy(), logger: nestLogger(log) });
  await app.listen();
  outbox.start();
  mirror.start();
  sweep.start();
  web.authorization.start();
  web.tokenIssuers.start();
  web.accounts.identitySweep.start();
  web.signIn.keptSignIns.start();
  const port = listen === undefined ? undefined : await web.listener.listen(listen, listen.tls);
  const close = async (): Promise<void> => {
    await app.close();
    await web.close();
    await mirror.stop();
    await sweep.stop();
    await outbox.stop();
    await db.close();
  };
  return { http: web.handle, port, ready: () => readiness(bus, db, signer, web), signInLink: () => administratorLink(db, clock), close };
}

async function readiness(bus: Bus, db: Database, signer: SnapshotSigner, web: AuthWeb): Promise<true | string> {
  if (bus.state() === 'down') return 'bus';
  if (!(await db.ping())) return 'database';
  if (!signer.ready) return 'directory signing key from the vault';
  return web.authorization.server.ready ? true : 'token signing keys from the vault';
}

async function administratorLink(db: Database, clock: Clock): Promise<string> {
  const id = await builtInAdministrator(db);
  if (id === undefined) throw new Refusal('not_found');
  return createSignInLink(db, id, clock);
}
