import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, sealTo, type Clock } from '@gatehouse/kernel';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import type { z } from 'zod';
import { VAULT_MIGRATIONS } from '../migrations.js';
import { startVaultService, type RunningService } from '../start-vault-service.js';
import type { VaultConfig } from '../vault-config.js';

/** What a credential belongs to. */
export interface Binding {
  identityId: string;
  serverId: string;
  origin: string;
  owner: string;
}

/** How far the rotations are. */
export type Progress = z.output<typeof vaultContracts.rotationProgress.reply>;

/** One running vault and those who ask it. */
export class Replica {
  readonly edge = newSealingKeyPair();

  constructor(
    readonly vault: RunningService,
    readonly gateway: Bus,
    readonly auth: Bus,
  ) {}

  async store(value: string, binding: Binding = newBinding()): Promise<Binding> {
    const { publicKey } = await this.gateway.request(vaultContracts.getEntryKey, {});
    return this.storeSealedTo(publicKey, value, binding);
  }

  async storeSealedTo(publicKey: string, value: string, binding: Binding, expiresAt: number | null = null): Promise<Binding> {
    const sealed = sealTo(publicKey, Buffer.from(value), vaultContracts.entryContext(binding.identityId, 'authorization'));
    await this.gateway.request(vaultContracts.storeCredential, { ...binding, expiresAt, fields: [{ name: 'authorization', sealed }] });
    return binding;
  }

  async storeUntil(expiresAt: number | null, value: string, binding: Binding = newBinding()): Promise<Binding> {
    const { publicKey } = await this.gateway.request(vaultContracts.getEntryKey, {});
    return this.storeSealedTo(publicKey, value, binding, expiresAt);
  }

  async transfer({ identityId, serverId }: Binding, from: string, to: string): Promise<number> {
    return (await this.auth.request(vaultContracts.transferCredential, { identityId, serverId, from, to })).version;
  }

  /** The answer to a lease as the edge gets it. */
  leased(binding: Binding): Promise<z.output<typeof vaultContracts.leaseCredential.reply>> {
    return this.gateway.request(vaultContracts.leaseCredential, { ...binding, edgeKey: this.edge.publicKey });
  }

  async lease(binding: Binding): Promise<string> {
    const { sealed } = await this.leased(binding);
    const opened = openSealed(this.edge, sealed, vaultContracts.leaseContext(binding.identityId, binding.serverId, binding.origin));
    return vaultContracts.leasedHeaders.parse(JSON.parse(opened.toString())).headers[0]![1];
  }

  async storeSecret(value: string): Promise<string> {
    const secretId = newId('secret');
    const { publicKey } = await this.auth.request(vaultContracts.getEntryKey, {});
    const sealed = sealTo(publicKey, Buffer.from(value), vaultContracts.serviceSecretContext(secretId));
    await this.auth.request(vaultContracts.storeAuthSecret, { secretId, purpose: 'oidc-client-secret', sealed });
    return secretId;
  }

  async leaseSecret(secretId: string): Promise<string> {
    const { sealed, version } = await this.auth.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: this.edge.publicKey });
    return openSealed(this.edge, sealed, vaultContracts.serviceSecretLeaseContext(secretId, version)).toString();
  }

  async sessionKeys(): Promise<string[]> {
    const { keys } = await this.gateway.request(vaultContracts.leaseSessionKey, { instanceKey: this.edge.publicKey });
    return keys.map(({ id }) => id);
  }

  progress(): Promise<Progress> {
    return this.gateway.request(vaultContracts.rotationProgress, {});
  }

  async rotate(what: vaultContracts.RotatedKeys): Promise<{ rotated: boolean; active: string }> {
    const active = (await this.progress()).keys.find((key) => key.what === what)!.active;
    return this.gateway.request(vaultContracts.rotateKeys, { what, expectedActive: active });
  }

  /** Resolves to the progress once it is as it should be. */
  async until(isDone: (progress: Progress) => boolean, limitMs = 20_000): Promise<Progress> {
    for (const began = performance.now(); ; ) {
      const progress = await this.progress();
      if (isDone(progress)) return progress;
      if (performance.now() - began > limitMs) throw new Error(JSON.stringify(progress));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.auth.close();
    await this.vault.close();
  }
}

/** A binding of its own. */
export const newBinding = (): Binding => ({ identityId: newId('identity'), serverId: newId('server'), origin: 'https://mcp.example.com', owner: 'global' });

/** True when every secret is under the active key and the old ones are deleted. */
export const secretsMoved = ({ secrets, keys }: Progress): boolean => secrets.left === 0 && keys.find(({ what }) => what === 'credential')!.retired === 0;

/** A PostgreSQL with one database for vaults, and a folder for their key files. */
export class VaultStage {
  private count = 0;

  private constructor(
    readonly folder: string,
    readonly postgres: EmbeddedPostgres,
    private readonly server: Database,
  ) {}

  static async open(): Promise<VaultStage> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-rotation-'));
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
    return new VaultStage(folder, postgres, await Database.open({ url: postgres.url, schema: 'public', migrations: [] }));
  }

  /** The URL of a new database: an empty one, or a copy. */
  async newDatabase(copyOf?: string): Promise<string> {
    this.count += 1;
    const template = copyOf === undefined ? '' : ` TEMPLATE ${new URL(copyOf).pathname.slice(1)}`;
    await this.server.query(`CREATE DATABASE vault_${this.count}${template}`);
    const url = new URL(this.postgres.url);
    url.pathname = `/vault_${this.count}`;
    return url.href;
  }

  /** The path of a new key file. */
  async newKeyFile(): Promise<string> {
    const path = join(this.folder, `${randomBytes(4).toString('hex')}.key`);
    await writeFile(path, randomBytes(32), { mode: 0o600 });
    return path;
  }

  async start(database: string, config: Partial<VaultConfig>, clock?: Clock): Promise<Replica> {
    const broker = new InProcessBroker();
    const log = createLogger({ service: 'vault', level: 'silent' });
    const bus = inProcessBus(broker, 'vault');
    const vault = await startVaultService({ bus, log, metrics: new Metrics(), database, config: { environment: 'production', ...config }, ...(clock === undefined ? {} : { clock }) });
    return new Replica(vault, inProcessBus(broker, 'gateway'), inProcessBus(broker, 'auth'));
  }

  /** Reads and writes the vault's tables by hand. */
  tables(database: string): Promise<Database> {
    return Database.open({ url: database, schema: 'vault', migrations: VAULT_MIGRATIONS });
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
