import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, sealTo, type SealingKeyPair } from '@gatehouse/kernel';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CredentialKeys } from '../keys/credential-keys.js';
import { EntryKeys } from '../keys/entry-keys.js';
import { KeyRoot } from '../keys/key-root.js';
import { KeyStore } from '../keys/key-store.js';
import { KeyFileProvider } from '../providers/key-file-provider.js';
import { KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import { startVaultService, type RunningService } from '../start-vault-service.js';
import { ServiceSecrets } from './service-secrets.js';

const CANARY = 'canary-1a2b3c4d5e6f-client-secret';
const PURPOSE = 'identity-provider';

let folder: string;
let postgres: EmbeddedPostgres;
let vault: RunningService;
let db: Database;
const root = randomBytes(32);
const logLines: string[] = [];
const log = createLogger({ service: 'vault', level: 'debug', destination: { write: (line: string) => void logLines.push(line) } });
const broker = new InProcessBroker();
const auth = inProcessBus(broker, 'auth');
const instance = newSealingKeyPair();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-secrets-'));
  const kekFile = join(folder, 'kek.key');
  await writeFile(kekFile, root, { mode: 0o600 });
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  const options = { bus: inProcessBus(broker, 'vault'), log, metrics: new Metrics(), database: postgres.url };
  vault = await startVaultService({ ...options, config: { environment: 'production', kekFile } });
  db = await Database.open({ url: postgres.url, schema: 'vault', migrations: [] });
}, 60_000);

afterAll(async () => {
  await vault.close();
  await db.close();
  await auth.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

async function sealedFor(secretId: string, value: string | Buffer): Promise<string> {
  const { publicKey } = await auth.request(vaultContracts.getEntryKey, {});
  return sealTo(publicKey, Buffer.from(value), vaultContracts.serviceSecretContext(secretId));
}

async function store(secretId: string, value: string | Buffer, purpose = PURPOSE): Promise<number> {
  return (await auth.request(vaultContracts.storeAuthSecret, { secretId, purpose, sealed: await sealedFor(secretId, value) })).version;
}

async function stored(value: string): Promise<string> {
  const secretId = newId('secret');
  await store(secretId, value);
  return secretId;
}

async function lease(secretId: string, pair: SealingKeyPair = instance): Promise<{ value: Buffer; version: number }> {
  const { sealed, version } = await auth.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: pair.publicKey });
  return { value: openSealed(pair, sealed, vaultContracts.serviceSecretLeaseContext(secretId, version)), version };
}

const text = async (secretId: string): Promise<string> => (await lease(secretId)).value.toString();
const destroy = async (secretId: string): Promise<boolean> => (await auth.request(vaultContracts.destroyAuthSecret, { secretId })).destroyed;

async function blobOf(secretId: string): Promise<Buffer> {
  return (await db.query<{ blob: Buffer }>('SELECT blob FROM service_secrets WHERE secret_id = $1', [secretId]))[0]!.blob;
}

const putBlob = (secretId: string, blob: Buffer): Promise<object[]> => db.query('UPDATE service_secrets SET blob = $2 WHERE secret_id = $1', [secretId, blob]);

describe('a secret of auth', () => {
  it('comes back byte for byte, for the instance that asked only', async () => {
    const secretId = newId('secret');
    const bytes = randomBytes(1_000);
    expect(await store(secretId, bytes)).toBe(1);
    expect(await lease(secretId)).toEqual({ value: bytes, version: 1 });
    const { sealed } = await auth.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: instance.publicKey });
    const context = vaultContracts.serviceSecretLeaseContext(secretId, 1);
    expect(() => openSealed(newSealingKeyPair(), sealed, context)).toThrow();
    expect(() => openSealed(instance, sealed, vaultContracts.serviceSecretLeaseContext(newId('secret'), 1))).toThrow();
    expect(() => openSealed(instance, sealed, vaultContracts.serviceSecretLeaseContext(secretId, 2))).toThrow();
  });

  it('may have 1 byte and 64 KiB, not none and not more', async () => {
    const [small, big] = [newId('secret'), newId('secret')];
    await store(small, 'x');
    await store(big, 'x'.repeat(65_536));
    expect([(await text(small)).length, (await text(big)).length]).toEqual([1, 65_536]);
    for (const value of ['', 'x'.repeat(65_537)]) {
      await expect(store(newId('secret'), value)).rejects.toMatchObject({ code: 'bad_request', details: { problem: 'a secret has 1 to 65536 bytes' } });
    }
  });

  it('is replaced by its next version', async () => {
    const secretId = await stored('one');
    expect(await store(secretId, 'two')).toBe(2);
    expect(await lease(secretId)).toEqual({ value: Buffer.from('two'), version: 2 });
  });

  it('counts every one of many stores at once, the first one included', async () => {
    const secretId = newId('secret');
    const versions = await Promise.all(Array.from({ length: 12 }, (_, at) => store(secretId, `value-${at}`)));
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    expect(await text(secretId)).toMatch(/^value-\d+$/);
  });

  it('keeps the purpose it was first stored with', async () => {
    const secretId = await stored('one');
    await expect(store(secretId, 'two', 'scim')).rejects.toMatchObject({ code: 'conflict' });
    expect(await lease(secretId)).toEqual({ value: Buffer.from('one'), version: 1 });
  });

  it('is gone once destroyed, and its version goes on counting', async () => {
    const secretId = await stored('one');
    expect([await destroy(secretId), await destroy(secretId), await destroy(newId('secret'))]).toEqual([true, false, false]);
    await expect(lease(secretId)).rejects.toMatchObject({ code: 'credential_missing' });
    expect(await blobOf(secretId)).toBeNull();
    expect(await store(secretId, 'again')).toBe(2);
    expect(await text(secretId)).toBe('again');
  });

  it('is missing where there was never one', async () => {
    await expect(lease(newId('secret'))).rejects.toMatchObject({ code: 'credential_missing', details: {} });
  });

  it('must be sealed to the entry key for exactly this secret', async () => {
    const secretId = newId('secret');
    const { publicKey } = await auth.request(vaultContracts.getEntryKey, {});
    const forAnother = await sealedFor(newId('secret'), CANARY);
    const forAField = sealTo(publicKey, Buffer.from(CANARY), vaultContracts.entryContext(secretId, PURPOSE));
    const forALease = sealTo(publicKey, Buffer.from(CANARY), vaultContracts.serviceSecretLeaseContext(secretId, 1));
    const toAnotherKey = sealTo(instance.publicKey, Buffer.from(CANARY), vaultContracts.serviceSecretContext(secretId));
    for (const sealed of [forAnother, forAField, forALease, toAnotherKey, 'AAAA']) {
      await expect(auth.request(vaultContracts.storeAuthSecret, { secretId, purpose: PURPOSE, sealed })).rejects.toMatchObject({ code: 'bad_request' });
    }
    await expect(lease(secretId)).rejects.toMatchObject({ code: 'credential_missing' });
  });

  it('cannot be stored as a credential of an identity', async () => {
    const [identityId, serverId] = [newId('identity'), newId('server')];
    const fields = [{ name: 'authorization', sealed: await sealedFor(newId('secret'), CANARY) }];
    const stolen = { identityId, serverId, origin: 'https://evil.example', owner: 'global', fields };
    await expect(auth.request(vaultContracts.storeCredential, stolen)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('is asked for by auth only', async () => {
    const secretId = await stored('one');
    for (const service of ['gateway', 'policy', 'audit'] as const) {
      const other = inProcessBus(broker, service);
      await expect(other.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: instance.publicKey })).rejects.toThrow();
      await expect(other.request(vaultContracts.destroyAuthSecret, { secretId })).rejects.toThrow();
      await other.close();
    }
    expect(await text(secretId)).toBe('one');
  });
});

const keyStore = (): KeyStore => new KeyStore(db, new KeyRoot(new KeyFileProvider(new KeyEncryptionKey(Buffer.from(root))), [], 'production'));

describe('the rows of such secrets', () => {
  const unreadable = { code: 'internal' };

  it('show no secret, and neither does the log', async () => {
    const secretId = await stored(CANARY);
    const rows = await db.query<{ blob: Buffer }>('SELECT blob FROM service_secrets WHERE blob IS NOT NULL');
    const written = [...logLines, ...rows.flatMap(({ blob }) => [blob.toString('latin1'), blob.toString('hex')])].join('');
    for (const part of [CANARY, Buffer.from('canary-1a2b3c4d5e').toString('base64'), Buffer.from('canary-1a2b3c').toString('hex')]) expect(written).not.toContain(part);
    expect(await text(secretId)).toBe(CANARY);
  });

  it('cannot be altered unseen (V-01)', async () => {
    const secretId = await stored('one');
    const blob = await blobOf(secretId);
    for (const at of [0, 4, 8, 12, 20, 40, 80, 95, blob.length - 40, blob.length - 1]) {
      const altered = Buffer.from(blob);
      altered[at]! ^= 1;
      await putBlob(secretId, altered);
      await expect(lease(secretId)).rejects.toMatchObject(unreadable);
    }
    await putBlob(secretId, Buffer.alloc(0));
    await expect(lease(secretId)).rejects.toMatchObject(unreadable);
  });

  it('cannot be turned back: the blob of an overwritten version does not open (V-02)', async () => {
    const secretId = await stored('one');
    const previous = await blobOf(secretId);
    await store(secretId, 'two');
    await putBlob(secretId, previous);
    await expect(lease(secretId)).rejects.toMatchObject(unreadable);
    await destroy(secretId);
    await store(secretId, 'three');
    await putBlob(secretId, previous);
    await expect(lease(secretId)).rejects.toMatchObject(unreadable);
  });

  it('cannot be transplanted: not to another secret, nor to another purpose', async () => {
    const [mine, other] = [await stored('mine'), await stored('other')];
    await putBlob(mine, await blobOf(other));
    await expect(lease(mine)).rejects.toMatchObject(unreadable);
    await db.query(`UPDATE service_secrets SET purpose = 'scim' WHERE secret_id = $1`, [other]);
    await expect(lease(other)).rejects.toMatchObject(unreadable);
  });

  it('stay those of their service: another one’s row is missing to auth, and does not open when it is renamed', async () => {
    const keys = keyStore();
    const secrets = new ServiceSecrets({ db, entryKeys: new EntryKeys(keys), keys: new CredentialKeys(keys), environment: 'production', log });
    const secretId = newId('secret');
    const name = { owner: 'policy', secretId } as const;
    await secrets.store(name, { purpose: PURPOSE, sealed: await sealedFor(secretId, 'of policy') });
    await expect(lease(secretId)).rejects.toMatchObject({ code: 'credential_missing' });
    expect(await destroy(secretId)).toBe(false);
    expect((await secrets.lease(name, instance.publicKey)).version).toBe(1);
    await db.query(`UPDATE service_secrets SET owner = 'auth' WHERE secret_id = $1`, [secretId]);
    await expect(lease(secretId)).rejects.toMatchObject(unreadable);
  });

  it('cannot be passed off as the field of a credential, nor the other way round', async () => {
    const secretId = await stored('one');
    const [identityId, serverId, origin] = [newId('identity'), newId('server'), 'https://mcp.example.com'];
    const { publicKey } = await auth.request(vaultContracts.getEntryKey, {});
    const sealed = sealTo(publicKey, Buffer.from('two'), vaultContracts.entryContext(identityId, 'authorization'));
    await auth.request(vaultContracts.storeCredential, { identityId, serverId, origin, owner: 'global', fields: [{ name: 'authorization', sealed }] });
    const [field] = await db.query<{ blob: Buffer }>('SELECT blob FROM credential_fields WHERE identity_id = $1', [identityId]);
    const own = await blobOf(secretId);
    await putBlob(secretId, field!.blob);
    await expect(lease(secretId)).rejects.toMatchObject(unreadable);
    await db.query('UPDATE credential_fields SET blob = $2, secret_id = $3 WHERE identity_id = $1', [identityId, own, secretId]);
    const gateway = inProcessBus(broker, 'gateway');
    const asked = { identityId, serverId, origin, owner: 'global', edgeKey: instance.publicKey };
    await expect(gateway.request(vaultContracts.leaseCredential, asked)).rejects.toMatchObject(unreadable);
    await gateway.close();
  });

  it('stay readable under a retired key, and are sealed anew under its successor', async () => {
    const secretId = await stored('one');
    const versionBefore = (await blobOf(secretId)).readUInt32BE(5);
    await db.query(`UPDATE wrapped_keys SET state = 'retired' WHERE purpose = 'credential'`);
    const keys = keyStore();
    await keys.ensureActive();
    expect(await text(secretId)).toBe('one');
    await store(secretId, 'two');
    expect((await blobOf(secretId)).readUInt32BE(5)).toBe(versionBefore + 1);
    expect(await text(secretId)).toBe('two');
  });
});
