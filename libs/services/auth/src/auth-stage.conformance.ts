import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@gatehouse/bus';
import { directoryContracts, type Actor, type SnapshotReply } from '@gatehouse/contracts';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { newId } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { freePort, ScriptedBrowser, TestClock, testDatabase, type TestDatabase } from '@gatehouse/testing';
import type { AuthConfig } from './auth-config.js';
import { Neighbours } from './neighbours.conformance.js';
import { Cookies } from './sign-in/cookies.js';
import { LoginSessions } from './sign-in/login-sessions.js';
import { startAuthService, type RunningService } from './start-auth-service.js';

/** Where clients of these tests are answered. */
export const REDIRECT = 'http://127.0.0.1:33418/callback';

type Piece = Extract<SnapshotReply, { unchanged: false }>;

/** A running auth among its neighbours, on a real database, listening where browsers and clients reach it directly. */
export class AuthStage {
  readonly logLines: string[] = [];
  replicas: RunningService[] = [];

  private constructor(
    readonly origin: string,
    readonly neighbours: Neighbours,
    readonly gateway: Bus,
    readonly db: Database,
    readonly clock: TestClock,
    private readonly options: { config: AuthConfig; trustedCas: readonly string[]; listens: string },
    private readonly store: { postgres: TestDatabase; folder: string },
  ) {}

  /** Starts one replica; `config` is what the environment would say. With a public address of its own, browsers are led to where it listens. */
  static async start(config: AuthConfig = {}, trustedCas: readonly string[] = [], publicUrl?: string): Promise<AuthStage> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-auth-'));
    const postgres = await testDatabase();
    const neighbours = new Neighbours();
    await neighbours.serve();
    const listens = `http://127.0.0.1:${await freePort()}`;
    const db = await Database.open({ url: postgres.url, schema: 'auth', migrations: [] });
    const stage = new AuthStage(publicUrl ?? listens, neighbours, neighbours.bus('gateway'), db, new TestClock(Date.now()), { config, trustedCas, listens }, { postgres, folder });
    await stage.addReplica(Number(new URL(listens).port));
    return stage;
  }

  /** Another replica on the same database; it listens on `port`, or on one of its own. */
  async addReplica(port = 0): Promise<RunningService> {
    const { config, trustedCas } = this.options;
    const service = await startAuthService({
      bus: this.neighbours.bus('auth'),
      log: createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void this.logLines.push(line) } }),
      metrics: new Metrics(),
      ephemeral: memoryEphemeral(),
      clock: this.clock,
      database: this.store.postgres.url,
      config,
      adminTokenFile: join(this.store.folder, 'admin.token'),
      publicUrl: this.origin,
      trustedCas,
      listen: { host: '127.0.0.1', port },
    });
    this.replicas.push(service);
    await until('auth is ready', async () => (await service.ready()) === true);
    return service;
  }

  /** The directory as an edge would hold it now. */
  async directory(): Promise<directoryContracts.Directory> {
    const first = (await this.gateway.request(directoryContracts.getDirectory, {})) as Piece;
    const chunks = [first.chunk];
    for (let part = 1; part < first.parts; part++) chunks.push(((await this.gateway.request(directoryContracts.getDirectory, { part })) as Piece).chunk);
    return directoryContracts.directory.parse(JSON.parse(chunks.join('')));
  }

  /** The built-in administrator, as who asks. */
  async administrator(): Promise<Actor> {
    const [row] = await this.db.query<{ id: string }>('SELECT id FROM people WHERE built_in');
    return { callerId: row!.id, tokenId: null };
  }

  /** Adds a person straight to the database. */
  async person(name: string, roles: string[] = ['member']): Promise<string> {
    const id = newId('person');
    await this.db.query(`INSERT INTO people (id, name, roles, teams, status, created_at) VALUES ($1, $2, $3, '{}', 'active', 1)`, [id, name, roles]);
    return id;
  }

  /** A browser in which a person is signed in already. */
  async signedInBrowser(personId: string, stopAt: readonly string[] = [REDIRECT]): Promise<ScriptedBrowser> {
    const sessions = new LoginSessions({ db: this.db, cookies: new Cookies(this.origin.startsWith('https:')), clock: this.clock });
    const { cookie } = await this.db.transaction((tx) =>
      sessions.start(tx, { personId, provider: 'test', subject: randomBytes(8).toString('hex'), sid: null, authAt: this.clock.now() }),
    );
    const browser = new ScriptedBrowser({ stopAt, resolve: (origin) => (origin === this.origin ? this.options.listens : undefined) });
    browser.cookies.keep([cookie], new URL(this.origin));
    return browser;
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()));
    await this.db.close();
    await this.neighbours.close();
    await this.store.postgres.stop();
    await rm(this.store.folder, { recursive: true, force: true });
  }
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  for (const limit = performance.now() + limitMs; !(await holds()); await sleep(20)) {
    if (performance.now() > limit) throw new Error(`did not happen in ${limitMs} ms: ${what}`);
  }
}
