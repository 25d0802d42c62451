import { createHash, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessContracts, authContracts, directoryContracts, type Actor, type SnapshotReply, type SnapshotVersion } from '@gatehouse/contracts';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { newSealingKeyPair, openSealed } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { TestClock, testDatabase, type TestDatabase } from '@gatehouse/testing';
import { expect } from '@jest/globals';
import { until } from './auth-stage.conformance.js';
import { Neighbours } from './neighbours.conformance.js';
import { startAuthService, type RunningService } from './start-auth-service.js';

/** A piece of a directory that is sent. */
export type Piece = Extract<SnapshotReply, { unchanged: false }>;

/** What is kept of a token. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Whether a directory lets a token in. */
export const knows = (directory: directoryContracts.Directory, text: string): boolean =>
  directory.tokens.some(({ digest }) => digest === digestOf(text));

/** What a person of a test starts with. */
export interface PersonWish {
  roles?: string[];
  teams?: string[];
  email?: string;
  by?: Actor;
}

/** Two replicas of auth on a real database, with an edge and a vault beside them. */
export class AuthWorld {
  readonly clock = new TestClock();
  readonly neighbours = new Neighbours();
  readonly gateway = this.neighbours.bus('gateway');
  readonly edge = newSealingKeyPair();
  readonly ephemeral = memoryEphemeral();
  readonly logLines: string[] = [];
  readonly published: SnapshotVersion[] = [];
  replicas: RunningService[] = [];
  /** Auth's schema, read and written behind its back. */
  db!: Database;
  private administrator: Actor | undefined;

  private constructor(
    readonly folder: string,
    readonly postgres: TestDatabase,
  ) {}

  /** Starts everything; `first` looks at the first replica before there is a vault. */
  static async start(first: (world: AuthWorld, replica: RunningService) => Promise<void> = () => Promise.resolve()): Promise<AuthWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-auth-'));
    const world = new AuthWorld(folder, await testDatabase());
    await world.gateway.events.follow(directoryContracts.directoryPublished, (version) => void world.published.push(version));
    const replica = await world.startReplica();
    await first(world, replica);
    await world.neighbours.serve();
    world.replicas = [replica, await world.startReplica()];
    for (const one of world.replicas) await until('a replica is ready', async () => (await one.ready()) === true);
    world.db = await Database.open({ url: world.postgres.url, schema: 'auth', migrations: [] });
    return world;
  }

  /** Where the first start wrote the administrator's token. */
  get adminTokenFile(): string {
    return join(this.folder, 'admin.token');
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()));
    await this.db.close();
    await this.neighbours.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The directory as an edge fetches it, its signature checked. */
  async directory(): Promise<directoryContracts.Directory> {
    const first = (await this.gateway.request(directoryContracts.getDirectory, {})) as Piece;
    const pieces = [first];
    for (let part = 1; part < first.parts; part++) pieces.push((await this.gateway.request(directoryContracts.getDirectory, { part })) as Piece);
    expect(pieces.every(({ keyId, signature }) => keyId === this.neighbours.directoryKey.id && signature === first.signature)).toBe(true);
    return this.genuine({ text: pieces.map(({ chunk }) => chunk).join(''), signature: first.signature });
  }

  /** The directory as it stands in the ephemeral store, its signature checked. */
  async mirrored(): Promise<directoryContracts.Directory | undefined> {
    const stored = await this.ephemeral.get(directoryContracts.DIRECTORY_MIRROR_KEY);
    if (stored === undefined) return undefined;
    const mirror = directoryContracts.directoryMirror.parse(JSON.parse(stored));
    expect(mirror.keyId).toBe(this.neighbours.directoryKey.id);
    return this.genuine(mirror);
  }

  /** One caller of the directory, or undefined. */
  async caller(id: string): Promise<directoryContracts.Directory['callers'][number] | undefined> {
    return (await this.directory()).callers.find((caller) => caller.id === id);
  }

  /** The administrator of the first start. */
  async admin(): Promise<Actor> {
    return (this.administrator ??= { callerId: (await this.directory()).callers[0]!.id, tokenId: null });
  }

  /** A person, added by the administrator unless told. */
  async person({ roles = ['member'], teams = [], email, by }: PersonWish = {}): Promise<authContracts.Person> {
    return this.gateway.request(authContracts.createPerson, { actor: by ?? (await this.admin()), name: 'Ada', email: email ?? null, roles, teams });
  }

  /** Somebody who acts. */
  async actor(roles: string[], teams: string[] = []): Promise<Actor> {
    return { callerId: (await this.person({ roles, teams })).id, tokenId: null };
  }

  /** A custom role that gives these capabilities. */
  async role(name: string, capabilities: string[], by?: Actor): Promise<accessContracts.Role> {
    const actor = by ?? (await this.admin());
    return (await this.gateway.request(accessContracts.putRole, { actor, name, description: 'For a test', capabilities })).role;
  }

  /** A team with roles and groups. */
  async team(name: string, { roles = [], groups = [], by }: { roles?: string[]; groups?: accessContracts.Team['groups']; by?: Actor } = {}): Promise<accessContracts.Team> {
    return (await this.gateway.request(accessContracts.putTeam, { actor: by ?? (await this.admin()), name, roles, groups })).team;
  }

  /** A token, made by the administrator unless told. */
  async token(callerId: string, wish: { scopes?: authContracts.TokenScope[]; expiresAt?: number; by?: Actor } = {}): Promise<{ token: authContracts.TokenSummary; text: string }> {
    const { scopes = ['mcp:access'], expiresAt = null } = wish;
    const asked = { actor: wish.by ?? (await this.admin()), callerId, name: 'laptop', scopes, expiresAt, edgeKey: this.edge.publicKey };
    const { token, sealed } = await this.gateway.request(authContracts.createToken, asked);
    return { token, text: openSealed(this.edge, sealed, authContracts.tokenContext(token.id)).toString() };
  }

  /** Says which groups of a provider somebody is in, as a sign-in does. */
  async groups(personId: string, groups: string[], provider = 'corp'): Promise<void> {
    await this.db.query('DELETE FROM person_groups WHERE person_id = $1 AND provider = $2', [personId, provider]);
    await this.db.query('INSERT INTO person_groups (person_id, provider, group_name) SELECT $1, $2, unnest($3::text[])', [personId, provider, groups]);
    await this.db.query('UPDATE directory_state SET version = version + 1');
  }

  private genuine({ text, signature }: { text: string; signature: string }): directoryContracts.Directory {
    expect(verify(null, Buffer.from(text), this.neighbours.directoryKey.publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    return directoryContracts.directory.parse(JSON.parse(text));
  }

  private startReplica(): Promise<RunningService> {
    return startAuthService({
      bus: this.neighbours.bus('auth'),
      log: createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void this.logLines.push(line) } }),
      metrics: new Metrics(),
      ephemeral: this.ephemeral,
      clock: this.clock,
      publicUrl: 'http://127.0.0.1:8080',
      database: this.postgres.url,
      config: {},
      adminTokenFile: this.adminTokenFile,
    });
  }
}
