import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker, Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, Refusal, sealTo, Secret } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import { Database, Outbox } from '@gatehouse/persistence';
import { createLogger } from '@gatehouse/telemetry';
import { freePort, ScriptedBrowser, testDatabase, type IdentityProvider, type Page } from '@gatehouse/testing';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DirectoryChanges } from '../directory/directory-changes.js';
import { openAuthListener, type AuthListener } from '../http/auth-listener.js';
import { AUTH_MIGRATIONS } from '../migrations.js';
import { buildSignIn, registerSignIn, type SignInArea, type SignInOptions } from './build-sign-in.js';
import type { ProviderSettings } from './identity-provider-rows.js';

/** Keeps auth's secrets the way the vault does: sealed in, sealed out. */
const entry = newSealingKeyPair();
const secrets = new Map<string, string>();

@Controller()
class VaultController {
  @Serves(vaultContracts.storeAuthSecret)
  store({ secretId, sealed }: { secretId: string; sealed: string }): { version: number } {
    secrets.set(secretId, openSealed(entry, sealed, vaultContracts.serviceSecretContext(secretId)).toString());
    return { version: 1 };
  }

  @Serves(vaultContracts.leaseAuthSecret)
  lease({ secretId, instanceKey }: { secretId: string; instanceKey: string }): { sealed: string; version: number } {
    const secret = secrets.get(secretId);
    if (secret === undefined) throw new Refusal('credential_missing');
    return { sealed: sealTo(instanceKey, Buffer.from(secret), vaultContracts.serviceSecretLeaseContext(secretId, 1)), version: 1 };
  }

  @Serves(vaultContracts.destroyAuthSecret)
  destroy({ secretId }: { secretId: string }): { destroyed: boolean } {
    return { destroyed: secrets.delete(secretId) };
  }
}

@Module({ controllers: [VaultController] })
class VaultModule {}

/** What a replica may be started with. */
export type ReplicaOptions = Partial<Pick<SignInOptions, 'config' | 'waits' | 'wrapSteps' | 'clock'>>;

/** Auth's sign-in on a real database, with a listener that browsers open. */
export interface Stage {
  readonly db: Database;
  readonly origin: string;
  readonly logs: string[];
  /** Ids of secrets that the vault has. */
  secretIds(): string[];
  area(): SignInArea;
  /** Stops the replica and starts another at the same address: nothing of the first one's memory is left. */
  restart(options?: ReplicaOptions): Promise<void>;
  /** Rows of a table. */
  rows<T extends object>(table: string): Promise<T[]>;
  browser(): ScriptedBrowser;
  /** An administrator with everything, known by id. */
  administrator(): Promise<string>;
  /** Sets a provider through the API, with its secret. */
  connect(name: string, idp: IdentityProvider, settings?: Partial<ProviderSettings>): Promise<void>;
  /** Forgets everybody and everything but the schema. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const TABLES = ['logins', 'login_sessions', 'login_transactions', 'sign_in_links', 'used_logout_tokens', 'identity_providers', 'person_groups', 'team_groups', 'teams', 'artefacts', 'denied', 'people'];

/** Starts a stage; takes a few seconds for the database. */
export async function startStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-sign-in-'));
  const postgres = await testDatabase();
  const db = await Database.open({ url: postgres.url, schema: 'auth', migrations: AUTH_MIGRATIONS });
  const broker = new InProcessBroker();
  const bus = inProcessBus(broker, 'auth');
  const vault = await NestFactory.createMicroservice(VaultModule, { strategy: inProcessBus(broker, 'vault').strategy(), logger: false });
  await vault.listen();
  const logs: string[] = [];
  const log = createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void logs.push(line) } });
  const outbox = new Outbox(db, async () => undefined);
  const outbound = new Outbound();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  let listener: AuthListener | undefined;
  let area: SignInArea | undefined;
  const restart = async (options: ReplicaOptions = {}): Promise<void> => {
    await listener?.close();
    const changes = new DirectoryChanges(db, outbox, () => undefined);
    area = buildSignIn({ db, changes, bus, outbound, log, config: {}, publicOrigin: origin, ...options });
    const parts = area;
    listener = await openAuthListener({ origin, log, authorizationServer: { handle: (_request, response) => void response.writeHead(404).end() }, areas: [(app) => registerSignIn(app, parts)] });
    await listener.listen({ host: '127.0.0.1', port });
  };
  await restart();
  const running = (): SignInArea => area!;
  const administrator = async (): Promise<string> => {
    const id = newId('person');
    await db.query(`INSERT INTO people (id, name, roles, teams, status, created_at) VALUES ($1, 'Root', '{administrator}', '{}', 'active', 0)`, [id]);
    return id;
  };
  return {
    db,
    origin,
    logs,
    secretIds: () => [...secrets.keys()],
    area: running,
    restart,
    rows: (table) => db.query(`SELECT * FROM ${table}`),
    browser: () => new ScriptedBrowser({ stopAt: [`${origin}/console`, `${origin}/interaction`] }),
    administrator,
    connect: async (name, idp, settings = {}) => {
      const secretId = newId('secret');
      const sealed = sealTo(entry.publicKey, Buffer.from(idp.clientSecret), vaultContracts.serviceSecretContext(secretId));
      const actor = { callerId: await administrator(), tokenId: null };
      await running().identityProviders.put({ actor, name, ...SETTINGS, issuer: idp.issuer, clientId: idp.clientId, ...settings, secret: { secretId, sealed } });
      await db.query('DELETE FROM people WHERE id = $1', [actor.callerId]);
    },
    clear: async () => {
      await db.query(`TRUNCATE ${TABLES.join(', ')} CASCADE`);
      logs.length = 0;
    },
    close: async () => {
      await listener?.close();
      await outbound.close();
      await vault.close();
      await db.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a provider of these tests is set to unless a test says otherwise. */
export const SETTINGS: Omit<ProviderSettings, 'issuer' | 'clientId'> = {
  displayName: 'Acme',
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { name: 'name', email: 'email', groups: 'groups' },
  provisioning: 'first-use',
  linkByEmail: true,
  administratorRule: null,
  identityAssertions: false,
  keepTokens: false,
  allowPrivateNetwork: true,
  enabled: true,
};

/** The provider of the environment, for `restart`. */
export function environmentOf(idp: IdentityProvider): ReplicaOptions {
  const { issuer, clientId, clientSecret } = idp;
  const config = { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: Secret.fromText(clientSecret), oidcAllowPrivateNetwork: true };
  return { config };
}

/** Signs a browser in at the provider that it was sent to; resolves with where it ended. */
export async function signIn(stage: Stage, browser: ScriptedBrowser, login: string, provider?: string): Promise<Page> {
  const page = await browser.get(`${stage.origin}/login?return_to=/console`);
  const choice = provider === undefined ? page : await browser.submit(page.forms.find(({ buttons }) => buttons[0]?.value === provider), {}, provider);
  if (choice.forms.length === 0) return choice;
  return browser.submit(choice.forms[0], { login });
}
