import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair } from '@gatehouse/kernel';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { startTransit, type FakeKms } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startVaultService, type RunningService } from '../start-vault-service.js';
import type { VaultConfig } from '../vault-config.js';

let folder: string;
let postgres: EmbeddedPostgres;
let kms: FakeKms;
const broker = new InProcessBroker();
const gateway = inProcessBus(broker, 'gateway');
const instanceKey = newSealingKeyPair().publicKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-unsealing-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  kms = await startTransit('approle');
  await writeFile(join(folder, 'kms.json'), kms.credentials, { mode: 0o600 });
}, 60_000);

afterAll(async () => {
  await gateway.close();
  await kms.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const start = (config: Partial<VaultConfig> = {}): Promise<RunningService> =>
  startVaultService({
    bus: inProcessBus(broker, 'vault'),
    log: createLogger({ service: 'vault', level: 'silent' }),
    metrics: new Metrics(),
    database: postgres.url,
    config: {
      environment: 'production',
      kmsProvider: 'transit',
      kmsKey: kms.key,
      kmsEndpoint: kms.url,
      kmsCredentialsFile: join(folder, 'kms.json'),
      ...config,
    },
  });

async function readyAfter(vault: RunningService): Promise<number> {
  const began = performance.now();
  while ((await vault.ready()) !== true) {
    if (performance.now() - began > 15_000) throw new Error(String(await vault.ready()));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - began;
}

describe('a vault whose key-encryption key is in a key service', () => {
  it('starts while the service is away, says so, and opens by itself within 10 s of its return (V-16)', async () => {
    await kms.goAway();
    const vault = await start();
    expect(await vault.ready()).toBe('key provider: the transit engine cannot be reached or fails');
    await expect(gateway.request(vaultContracts.getEntryKey, {})).rejects.toMatchObject({ code: 'vault_unavailable' });
    await expect(gateway.request(vaultContracts.leaseSessionKey, { instanceKey })).rejects.toMatchObject({ code: 'vault_unavailable' });
    await kms.comeBack();
    expect(await readyAfter(vault)).toBeLessThan(10_000);
    expect((await gateway.request(vaultContracts.leaseSessionKey, { instanceKey })).keys).toHaveLength(2);
    await vault.close();
  }, 30_000);

  it('keeps its keys over a restart, during which the service hung at first', async () => {
    const before = await entryKey();
    kms.trouble = 'slow';
    const vault = await start();
    expect(await vault.ready()).toBe('key provider: the transit engine did not answer in time');
    kms.trouble = 'none';
    expect(await readyAfter(vault)).toBeLessThan(10_000);
    expect((await gateway.request(vaultContracts.getEntryKey, {})).publicKey).toBe(before);
    await vault.close();
  }, 30_000);

  it('goes on leasing from memory when the service goes away later, and makes no new key without it', async () => {
    const vault = await start();
    await kms.goAway();
    expect((await gateway.request(vaultContracts.leaseSessionKey, { instanceKey })).keys.length).toBeGreaterThan(0);
    expect(await vault.ready()).toBe(true);
    await kms.comeBack();
    await vault.close();
  }, 30_000);

  it('waits for credentials to be put right, without a restart', async () => {
    await writeFile(join(folder, 'wrong.json'), kms.wrongCredentials, { mode: 0o600 });
    const vault = await start({ kmsCredentialsFile: join(folder, 'wrong.json') });
    expect(await vault.ready()).toBe('key provider: the transit engine refuses the credentials');
    await writeFile(join(folder, 'wrong.json'), kms.credentials);
    expect(await readyAfter(vault)).toBeLessThan(10_000);
    await vault.close();
  }, 30_000);

  it('refuses to start with another key than the database was sealed with: no waiting cures that', async () => {
    await expect(start({ kmsKey: 'transit/another' })).rejects.toThrow(/need transit:transit\/gatehouse, have transit:transit\/another.*GATEHOUSE_KEK_PREVIOUS_FILE/);
  });
});

async function entryKey(): Promise<string> {
  const vault = await start();
  const { publicKey } = await gateway.request(vaultContracts.getEntryKey, {});
  await vault.close();
  return publicKey;
}
