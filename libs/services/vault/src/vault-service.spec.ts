import { verify, sign, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { vaultContracts, type RequestContract } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, sealTo, type SealingKeyPair } from '@gatehouse/kernel';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startVaultService, type RunningService } from './start-vault-service.js';

const CANARY = 'canary-9f8e7d6c5b4a-"quoted"-\\backslash';
const ORIGIN = 'https://mcp.example.com';

let folder: string;
let postgres: EmbeddedPostgres;
let vault: RunningService;
let db: Database;
const logLines: string[] = [];
const changes: unknown[] = [];
const broker = new InProcessBroker();
const gateway = inProcessBus(broker, 'gateway');
const metrics = new Metrics();
const edge = newSealingKeyPair();

const start = (): Promise<RunningService> =>
  startVaultService({
    bus: inProcessBus(broker, 'vault'),
    log: createLogger({ service: 'vault', level: 'debug', destination: { write: (line: string) => void logLines.push(line) } }),
    metrics,
    database: postgres.url,
    config: { environment: 'production' },
    embeddedKeyFile: join(folder, 'kek.key'),
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  vault = await start();
  db = await Database.open({ url: postgres.url, schema: 'vault', migrations: [] });
  await gateway.events.follow(vaultContracts.credentialChanged, (event) => void changes.push(event));
}, 60_000);

afterAll(async () => {
  await vault.close();
  await db.close();
  await gateway.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

interface Binding {
  identityId: string;
  serverId: string;
  origin: string;
  owner: string;
}

const newBinding = (owner = 'global'): Binding => ({ identityId: newId('identity'), serverId: newId('server'), origin: ORIGIN, owner });

async function sealField(identityId: string, name: string, value: string): Promise<{ name: string; sealed: string }> {
  const { publicKey } = await gateway.request(vaultContracts.getEntryKey, {});
  return { name, sealed: sealTo(publicKey, Buffer.from(value), vaultContracts.entryContext(identityId, name)) };
}

async function store(binding: Binding, headers: Record<string, string>): Promise<number> {
  const fields = await Promise.all(Object.entries(headers).map(([name, value]) => sealField(binding.identityId, name, value)));
  return (await gateway.request(vaultContracts.storeCredential, { ...binding, fields })).version;
}

async function lease(binding: Binding, pair: SealingKeyPair = edge): Promise<[string, string][]> {
  const { sealed } = await gateway.request(vaultContracts.leaseCredential, { ...binding, edgeKey: pair.publicKey });
  const { identityId, serverId, origin } = binding;
  const opened = openSealed(pair, sealed, vaultContracts.leaseContext(identityId, serverId, origin));
  return vaultContracts.leasedHeaders.parse(JSON.parse(opened.toString())).headers;
}

async function heard(identityId: string, version: number): Promise<void> {
  const limit = Date.now() + 5_000;
  while (!changes.some((event) => JSON.stringify(event).includes(identityId) && (event as { version: number }).version === version)) {
    if (Date.now() > limit) throw new Error(`no event for version ${version}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const refusal = (code: string, details: object = {}): object => ({ code, details });

describe('a stored credential', () => {
  it('is leased for a minute as header lines that only the asking edge can open', async () => {
    const binding = newBinding();
    expect(await store(binding, { authorization: `Bearer ${CANARY}`, 'X-Api-Key': 'two' })).toBe(1);
    expect(await lease(binding)).toEqual([
      ['authorization', `Bearer ${CANARY}`],
      ['X-Api-Key', 'two'],
    ]);
    const reply = await gateway.request(vaultContracts.leaseCredential, { ...binding, edgeKey: edge.publicKey });
    expect(reply).toMatchObject({ version: 1, expiresInMs: 60_000 });
    expect(() => openSealed(newSealingKeyPair(), reply.sealed, vaultContracts.leaseContext(binding.identityId, binding.serverId, ORIGIN))).toThrow();
  });

  it('is replaced by the next version, and edges hear of it', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    expect(await store(binding, { 'x-key': 'two' })).toBe(2);
    expect(await lease(binding)).toEqual([['x-key', 'two']]);
    await heard(binding.identityId, 1);
    await heard(binding.identityId, 2);
  });

  it('counts every one of many stores at once', async () => {
    const binding = newBinding();
    const versions = await Promise.all(Array.from({ length: 20 }, (_, at) => store(binding, { authorization: `value-${at}` })));
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect((await lease(binding))[0]![1]).toMatch(/^value-\d+$/);
  });

  it('is missing to whoever names another owner or server, as if it did not exist (V-05)', async () => {
    const mine = newBinding(newId('person'));
    await store(mine, { authorization: CANARY });
    const missing = refusal('credential_missing');
    await expect(lease({ ...mine, owner: newId('person') })).rejects.toMatchObject(missing);
    await expect(lease({ ...mine, owner: 'global' })).rejects.toMatchObject(missing);
    await expect(lease({ ...mine, serverId: newId('server') })).rejects.toMatchObject(missing);
    await expect(lease({ ...mine, owner: newId('person'), origin: 'https://elsewhere.example' })).rejects.toMatchObject(missing);
    await expect(lease(newBinding())).rejects.toMatchObject(missing);
  });

  it('counts leases by their outcome', async () => {
    const binding = newBinding();
    const count = (outcome: string): number => Number(new RegExp(`gatehouse_vault_leases_total\\{outcome="${outcome}"\\} (\\d+)`).exec(metrics.render())?.[1] ?? 0);
    const [leased, missing] = [count('leased'), count('credential_missing')];
    await store(binding, { authorization: 'one' });
    await lease(binding);
    await expect(lease(newBinding())).rejects.toMatchObject({ code: 'credential_missing' });
    expect([count('leased'), count('credential_missing')]).toEqual([leased + 1, missing + 1]);
  });

  it('is not leased for another origin until it is stored for that one (V-07)', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    const moved = { ...binding, origin: 'https://mcp.example.org' };
    await expect(lease(moved)).rejects.toMatchObject(refusal('credential_unbound'));
    await store(moved, { authorization: 'two' });
    expect(await lease(moved)).toEqual([['authorization', 'two']]);
    await expect(lease(binding)).rejects.toMatchObject(refusal('credential_unbound'));
  });

  it('never moves to another server or owner', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    await expect(store({ ...binding, serverId: newId('server') }, { authorization: 'two' })).rejects.toMatchObject(refusal('conflict'));
    await expect(store({ ...binding, owner: newId('person') }, { authorization: 'two' })).rejects.toMatchObject(refusal('conflict'));
    expect(await lease(binding)).toEqual([['authorization', 'one']]);
  });

  it('is gone once destroyed, and its version goes on counting', async () => {
    const binding = newBinding();
    await store(binding, { authorization: CANARY });
    const { identityId } = binding;
    expect(await gateway.request(vaultContracts.destroyCredential, { identityId })).toEqual({ destroyed: true });
    expect(await gateway.request(vaultContracts.destroyCredential, { identityId })).toEqual({ destroyed: false });
    await heard(identityId, 0);
    await expect(lease(binding)).rejects.toMatchObject(refusal('credential_missing'));
    expect(await db.query('SELECT 1 FROM credential_fields WHERE identity_id = $1', [identityId])).toEqual([]);
    expect(await store(binding, { authorization: 'again' })).toBe(2);
  });

  it('is refused when nothing of it is left: no call goes out without its credential', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    await db.query('DELETE FROM credential_fields WHERE identity_id = $1', [binding.identityId]);
    await expect(lease(binding)).rejects.toMatchObject(refusal('credential_missing'));
  });
});

describe('a secret on its way in', () => {
  it('must be sealed to the entry key for exactly this identity and field', async () => {
    const binding = newBinding();
    const other = await sealField(newId('identity'), 'authorization', CANARY);
    const renamed = { ...(await sealField(binding.identityId, 'x-key', CANARY)), name: 'authorization' };
    const foreign = { name: 'authorization', sealed: sealTo(edge.publicKey, Buffer.from(CANARY), vaultContracts.entryContext(binding.identityId, 'authorization')) };
    for (const field of [other, renamed, foreign, { name: 'authorization', sealed: 'AAAA' }]) {
      await expect(gateway.request(vaultContracts.storeCredential, { ...binding, fields: [field] })).rejects.toMatchObject({ code: 'bad_request' });
    }
  });

  it.each([
    ['a line break', 'x-key', 'one\r\nx-admin: yes'],
    ['an empty value', 'x-key', ''],
    ['a value that ends in a space', 'x-key', 'one '],
    ['a value beyond ASCII', 'x-key', 'schlüssel'],
    ['a huge value', 'x-key', 'x'.repeat(16_385)],
    ['a name that is none', 'x key', 'one'],
  ])('is refused with its field named and its value not: %s', async (_name, name, value) => {
    const binding = newBinding();
    const field = await sealField(binding.identityId, name, value);
    await expect(gateway.request(vaultContracts.storeCredential, { ...binding, fields: [field] })).rejects.toMatchObject({
      code: 'bad_request',
      details: { field: name, problem: expect.stringMatching(/^not a header (name|value)$/) },
    });
  });

  it('is refused when one header is given twice', async () => {
    await expect(store(newBinding(), { authorization: 'one', Authorization: 'two' })).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('the vault’s database', () => {
  const lastBlob = async (identityId: string): Promise<Buffer> =>
    (await db.query<{ blob: Buffer }>('SELECT blob FROM credential_fields WHERE identity_id = $1', [identityId]))[0]!.blob;
  const putBlob = (identityId: string, blob: Buffer): Promise<object[]> =>
    db.query('UPDATE credential_fields SET blob = $2 WHERE identity_id = $1', [identityId, blob]);

  it('shows no secret in any table, however it is written (V-08, V-13)', async () => {
    await store(newBinding(), { authorization: CANARY });
    const tables = await db.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'vault'`);
    const rows = await Promise.all(tables.map(({ name }) => db.query(`SELECT t.* FROM "${name}" t`)));
    const dump = JSON.stringify(rows, (_key, value: unknown) => {
      const bytes = value as { type?: string; data?: number[] } | null;
      return bytes?.type === 'Buffer' ? `${Buffer.from(bytes.data!).toString('hex')} ${Buffer.from(bytes.data!).toString('latin1')}` : value;
    });
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['credentials', 'credential_fields', 'wrapped_keys', 'outbox']));
    for (const part of ['canary-9f8e7d6c5b4a', Buffer.from('canary-9f8e7d6c5b').toString('base64'), Buffer.from('canary-9f8e7d').toString('hex')]) {
      expect(dump).not.toContain(part);
      expect(logLines.join('')).not.toContain(part);
      expect(JSON.stringify(changes)).not.toContain(part);
    }
  });

  it('cannot be altered unseen: a flipped byte is an error without a reason (V-01)', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    const blob = await lastBlob(binding.identityId);
    for (const at of [0, 4, 8, 12, 20, 40, 80, 95, blob.length - 40, blob.length - 1]) {
      const altered = Buffer.from(blob);
      altered[at]! ^= 1;
      await putBlob(binding.identityId, altered);
      await expect(lease(binding)).rejects.toMatchObject({ code: 'internal' });
    }
    await putBlob(binding.identityId, blob);
    expect(await lease(binding)).toEqual([['authorization', 'one']]);
  });

  it('cannot be turned back: the previous version’s row does not open (V-02)', async () => {
    const binding = newBinding();
    await store(binding, { authorization: 'one' });
    const previous = await lastBlob(binding.identityId);
    await store(binding, { authorization: 'two' });
    await putBlob(binding.identityId, previous);
    await expect(lease(binding)).rejects.toMatchObject({ code: 'internal' });
  });

  it('cannot be rearranged: another identity’s row does not open, nor does another origin in the row', async () => {
    const [mine, theirs] = [newBinding(newId('person')), newBinding(newId('person'))];
    await store(mine, { authorization: 'mine' });
    await store(theirs, { authorization: 'theirs' });
    await db.query('UPDATE credentials SET origin = $2 WHERE identity_id = $1', [theirs.identityId, 'https://evil.example']);
    await expect(lease({ ...theirs, origin: 'https://evil.example' })).rejects.toMatchObject({ code: 'internal' });
    await putBlob(mine.identityId, await lastBlob(theirs.identityId));
    await expect(lease(mine)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('the keys of the services', () => {
  const leaseKeys = async (contract: RequestContract, purpose: string, from = gateway): Promise<{ id: string; bytes: Buffer }[]> => {
    const { keys } = (await from.request(contract, { instanceKey: edge.publicKey })) as { keys: { id: string; sealed: string }[] };
    return keys.map(({ id, sealed }) => ({ id, bytes: openSealed(edge, sealed, vaultContracts.keyContext(purpose, id)) }));
  };

  it('are leased sealed to the instance: 32 bytes each, different, and the same at every lease', async () => {
    const [session] = await leaseKeys(vaultContracts.leaseSessionKey, 'session');
    const [digest] = await leaseKeys(vaultContracts.leaseDigestKey, 'digest');
    expect([session!.bytes.length, digest!.bytes.length]).toEqual([32, 32]);
    expect(session!.bytes.equals(digest!.bytes)).toBe(false);
    expect((await leaseKeys(vaultContracts.leaseSessionKey, 'session'))[0]).toEqual(session);
  });

  it('sign what the listed public keys verify, one for policy and one for the directory', async () => {
    const listed = await gateway.request(vaultContracts.listVerificationKeys, {});
    const text = Buffer.from('snapshot');
    for (const [contract, purpose, name] of [
      [vaultContracts.leasePolicySigningKey, 'policy-signing', 'policy'],
      [vaultContracts.leaseDirectorySigningKey, 'directory-signing', 'directory'],
    ] as const) {
      const from = inProcessBus(broker, name === 'policy' ? 'policy' : 'auth');
      const [key] = await leaseKeys(contract, purpose, from);
      const signature = sign(null, text, createPrivateKey({ key: key!.bytes, format: 'der', type: 'pkcs8' }));
      const [first] = listed[name];
      expect(first!.id).toBe(key!.id);
      expect(verify(null, text, createPublicKey({ key: Buffer.from(first!.publicKey, 'base64url'), format: 'der', type: 'spki' }), signature)).toBe(true);
      await from.close();
    }
  });

  it('once retired are replaced at the next start, listed after the active ones, and still open what they sealed', async () => {
    const binding = newBinding();
    const sealedBefore = await sealField(binding.identityId, 'authorization', 'sealed before');
    const stored = newBinding();
    await store(stored, { authorization: 'stored before' });
    const [before] = await leaseKeys(vaultContracts.leaseSessionKey, 'session');
    const listedBefore = await gateway.request(vaultContracts.listVerificationKeys, {});
    await db.query(`UPDATE wrapped_keys SET state = 'retired'`);
    await vault.close();
    vault = await start();
    const sessions = await leaseKeys(vaultContracts.leaseSessionKey, 'session');
    expect(sessions).toHaveLength(4);
    expect(sessions.slice(2)).toContainEqual(before);
    const listed = await gateway.request(vaultContracts.listVerificationKeys, {});
    expect(listed.policy.slice(1)).toEqual(listedBefore.policy);
    expect(await lease(stored)).toEqual([['authorization', 'stored before']]);
    await gateway.request(vaultContracts.storeCredential, { ...binding, fields: [sealedBefore] });
    expect(await lease(binding)).toEqual([['authorization', 'sealed before']]);
  });
});

describe('readiness', () => {
  it('is given while the database answers', async () => {
    expect(await vault.ready()).toBe(true);
  });
});
