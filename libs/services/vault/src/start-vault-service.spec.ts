import { randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { VAULT_MIGRATIONS } from './migrations.js';
import { KeyEncryptionKey } from './sealing/key-encryption-key.js';
import { startVaultService, type RunningService, type VaultOptions } from './start-vault-service.js';

let folder: string;
let postgres: EmbeddedPostgres;
let server: Database;
let database: string;
let keyFile: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-start-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  server = await Database.open({ url: postgres.url, schema: 'public', migrations: [] });
}, 60_000);

beforeEach(async () => {
  count += 1;
  await server.query(`CREATE DATABASE vault_${count}`);
  const url = new URL(postgres.url);
  url.pathname = `/vault_${count}`;
  database = url.href;
  keyFile = join(folder, `kek-${count}.key`);
});

afterAll(async () => {
  await server.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const metrics = new Metrics();
const log = createLogger({ service: 'vault', level: 'silent' });

const start = (options: Partial<VaultOptions> = {}): Promise<RunningService> =>
  startVaultService({
    bus: inProcessBus(new InProcessBroker(), 'vault'),
    log,
    metrics,
    database,
    config: { environment: 'production' },
    embeddedKeyFile: keyFile,
    ...options,
  });

async function entryKeyOf(options: Partial<VaultOptions> = {}): Promise<string> {
  const broker = new InProcessBroker();
  const vault = await start({ ...options, bus: inProcessBus(broker, 'vault') });
  const gateway = inProcessBus(broker, 'gateway');
  const { publicKey } = await gateway.request(vaultContracts.getEntryKey, {});
  await gateway.close();
  await vault.close();
  return publicKey;
}

describe('starting the vault', () => {
  it('keeps its keys over a restart', async () => {
    expect(await entryKeyOf()).toBe(await entryKeyOf());
  });

  it('makes every key once when replicas start at the same time (V-14)', async () => {
    await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
    const config = { environment: 'production', kekFile: keyFile };
    const entryKeys = await Promise.all([entryKeyOf({ config }), entryKeyOf({ config }), entryKeyOf({ config })]);
    expect(new Set(entryKeys).size).toBe(1);
    const db = await Database.open({ url: database, schema: 'vault', migrations: [] });
    const keys = await db.query<{ purpose: string; keys: string }>('SELECT purpose, count(*) AS keys FROM wrapped_keys GROUP BY purpose');
    await db.close();
    expect(keys).toHaveLength(9);
    expect(keys.filter((row) => row.keys !== '1').map(({ purpose }) => purpose).sort()).toEqual(['call-signing', 'session', 'token-signing']);
  });

  it('takes over the keys of a database from before there were next ones', async () => {
    const root = randomBytes(32);
    await writeFile(keyFile, root, { mode: 0o600 });
    const db = await Database.open({ url: database, schema: 'vault', migrations: VAULT_MIGRATIONS.filter(({ name }) => name <= '0002_credentials') });
    const kek = new KeyEncryptionKey(root);
    const wrapped = kek.wrap(randomBytes(32), { environment: 'production', purpose: 'session', keyId: 'key_old', version: 1 });
    await db.query(`INSERT INTO wrapped_keys VALUES ('key_old', 'session', 1, 'active', $1, $2, 0)`, [kek.id, wrapped]);
    await entryKeyOf();
    const keys = await db.query(`SELECT purpose, state FROM wrapped_keys WHERE purpose IN ('session', 'token-signing') ORDER BY purpose, version`);
    const [old] = await db.query(`SELECT state, version FROM wrapped_keys WHERE id = 'key_old'`);
    await db.close();
    expect(old).toEqual({ state: 'active', version: 1 });
    expect(keys).toEqual([
      { purpose: 'session', state: 'active' },
      { purpose: 'session', state: 'next' },
      { purpose: 'token-signing', state: 'active' },
      { purpose: 'token-signing', state: 'next' },
    ]);
  });

  it('gives a database from before statements about calls its key for them, and keeps what was stored', async () => {
    await entryKeyOf();
    const db = await Database.open({ url: database, schema: 'vault', migrations: [] });
    await db.query(`DELETE FROM wrapped_keys WHERE purpose = 'call-signing'`);
    const before = await db.query(`SELECT id FROM wrapped_keys ORDER BY id`);
    await entryKeyOf();
    const made = await db.query(`SELECT state FROM wrapped_keys WHERE purpose = 'call-signing' ORDER BY version`);
    const kept = await db.query(`SELECT id FROM wrapped_keys WHERE purpose <> 'call-signing' ORDER BY id`);
    await db.close();
    expect(made).toEqual([{ state: 'active' }, { state: 'next' }]);
    expect(kept).toEqual(before);
  });

  it('refuses a lost key file instead of making another one', async () => {
    await entryKeyOf();
    const aside = `${keyFile}.aside`;
    await rename(keyFile, aside);
    await expect(start()).rejects.toThrow(/^the key file .* is missing .* put it back$/);
    await rename(aside, keyFile);
    await (await start()).close();
  });

  it('refuses another key file than the one the database was sealed with', async () => {
    await entryKeyOf();
    await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
    await expect(start()).rejects.toThrow(/^the key file is not the one this vault's database was sealed with/);
  });

  it('refuses the database of another environment', async () => {
    await entryKeyOf();
    await expect(start({ config: { environment: 'staging' } })).rejects.toThrow('another environment name');
  });

  it('refuses to start on its own without a key file', async () => {
    const { embeddedKeyFile: _none, ...rest } = { embeddedKeyFile: keyFile, bus: inProcessBus(new InProcessBroker(), 'vault'), log, metrics, database };
    await expect(startVaultService({ ...rest, config: { environment: 'production' } })).rejects.toThrow('GATEHOUSE_KEK_FILE is not set');
  });

  it('refuses a placeholder in the named key file (V-11)', async () => {
    await writeFile(keyFile, Buffer.alloc(32), { mode: 0o600 });
    await expect(start({ config: { environment: 'production', kekFile: keyFile } })).rejects.toThrow('placeholder');
  });
});
