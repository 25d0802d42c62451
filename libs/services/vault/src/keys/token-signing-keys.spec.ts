import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { vaultContracts, type RequestContract } from '@gatehouse/contracts';
import { Fault, newId, newSealingKeyPair, openSealed, type SealingKeyPair } from '@gatehouse/kernel';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startVaultService, type RunningService } from '../start-vault-service.js';
import type { LeasedTokenKey } from './token-signing-keys.js';

const TWO_HOURS = 2 * 60 * 60 * 1_000;

interface Replica {
  broker: InProcessBroker;
  vault: RunningService;
  auth: Bus;
}

let folder: string;
let postgres: EmbeddedPostgres;
let db: Database;
let kekFile: string;
let now = Date.UTC(2026, 10, 20);
let one: Replica;
let two: Replica;
const logLines: string[] = [];
const instance = newSealingKeyPair();

async function startReplica(): Promise<Replica> {
  const broker = new InProcessBroker();
  const vault = await startVaultService({
    bus: inProcessBus(broker, 'vault'),
    log: createLogger({ service: 'vault', level: 'debug', destination: { write: (line: string) => void logLines.push(line) } }),
    metrics: new Metrics(),
    clock: { now: () => now, monotonicMs: () => now },
    database: postgres.url,
    config: { environment: 'production', kekFile },
  });
  return { broker, vault, auth: inProcessBus(broker, 'auth') };
}

async function stopReplica({ vault, auth }: Replica): Promise<void> {
  await auth.close();
  await vault.close();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-tokens-'));
  kekFile = join(folder, 'kek.key');
  await writeFile(kekFile, randomBytes(32), { mode: 0o600 });
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  [one, two] = await Promise.all([startReplica(), startReplica()]);
  db = await Database.open({ url: postgres.url, schema: 'vault', migrations: [] });
}, 60_000);

// What earlier tests retired is long gone.
beforeEach(() => {
  now += TWO_HOURS;
});

afterAll(async () => {
  await Promise.all([stopReplica(one), stopReplica(two)]);
  await db.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const lease = async (from = one.auth, pair: SealingKeyPair = instance): Promise<LeasedTokenKey[]> =>
  (await from.request(vaultContracts.leaseTokenSigningKeys, { instanceKey: pair.publicKey })).keys;
const rotate = (expectedActive: string, retireNow = false, from = one.auth) => from.request(vaultContracts.rotateTokenSigningKey, { expectedActive, retireNow });
const states = (keys: readonly { id: string; state: string }[]): string[][] => keys.map(({ id, state }) => [id, state]);

async function activeAndNext(): Promise<[LeasedTokenKey, LeasedTokenKey]> {
  const [active, next] = await lease();
  return [active!, next!];
}

function signedWith({ id, sealed }: LeasedTokenKey, text: Buffer): Buffer {
  const key = openSealed(instance, sealed!, vaultContracts.keyContext('token-signing', id));
  return sign('sha256', text, { key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }), dsaEncoding: 'ieee-p1363' });
}

const verifies = ({ publicJwk }: Pick<LeasedTokenKey, 'publicJwk'>, text: Buffer, signature: Buffer): boolean =>
  verify('sha256', text, { key: createPublicKey({ key: publicJwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, signature);

describe('the keys of access tokens', () => {
  it('are an active one and the next one, the same for every replica and instance', async () => {
    const keys = await lease();
    expect(keys.map(({ state, retiredAt }) => [state, retiredAt])).toEqual([
      ['active', null],
      ['next', null],
    ]);
    const elsewhere = await lease(two.auth, newSealingKeyPair());
    expect(elsewhere.map(({ id, publicJwk }) => [id, publicJwk])).toEqual(keys.map(({ id, publicJwk }) => [id, publicJwk]));
  });

  it('sign ES256 what their own public key verifies, and no other', async () => {
    const [active, next] = await activeAndNext();
    const text = Buffer.from('header.payload');
    expect(signedWith(active, text)).toHaveLength(64);
    expect(verifies(active, text, signedWith(active, text))).toBe(true);
    expect(verifies(next, text, signedWith(next, text))).toBe(true);
    expect(verifies(next, text, signedWith(active, text))).toBe(false);
  });

  it('open for the asking instance only, each as itself and for its purpose', async () => {
    const [active, next] = await activeAndNext();
    const context = vaultContracts.keyContext('token-signing', active.id);
    expect(openSealed(instance, active.sealed!, context).length).toBeGreaterThan(100);
    expect(() => openSealed(newSealingKeyPair(), active.sealed!, context)).toThrow();
    expect(() => openSealed(instance, next.sealed!, context)).toThrow();
    expect(() => openSealed(instance, active.sealed!, vaultContracts.keyContext('directory-signing', active.id))).toThrow();
  });

  it('are leased to auth and nobody else', async () => {
    const [active, next] = await activeAndNext();
    for (const service of ['gateway', 'policy', 'audit'] as const) {
      const other = inProcessBus(one.broker, service);
      for (const contract of [vaultContracts.leaseTokenSigningKeys, vaultContracts.leaseAuthSecretKey] as RequestContract[]) {
        await expect(other.request(contract, { instanceKey: instance.publicKey })).rejects.toThrow(Fault);
      }
      await expect(other.request(vaultContracts.rotateTokenSigningKey, { expectedActive: active.id, retireNow: true })).rejects.toThrow(Fault);
      await other.close();
    }
    expect(states(await lease())).toEqual([[active.id, 'active'], [next.id, 'next']]);
  });
});

describe('a rotation', () => {
  it('makes the next key the active one, and a new next one', async () => {
    const [active, next] = await activeAndNext();
    const { rotated, keys } = await rotate(active.id);
    expect(rotated).toBe(true);
    expect(states(keys)).toEqual([[next.id, 'active'], [keys[1]!.id, 'next'], [active.id, 'retired']]);
    expect([active.id, next.id]).not.toContain(keys[1]!.id);
    expect(JSON.stringify(keys)).not.toContain('sealed');
    expect(states(await lease(two.auth))).toEqual(states(keys));
  });

  it('leaves the retired key to verify with, without its private half', async () => {
    const [active] = await activeAndNext();
    const text = Buffer.from('issued before');
    const signature = signedWith(active, text);
    await rotate(active.id);
    const retired = (await lease()).find(({ id }) => id === active.id)!;
    expect(retired).toEqual({ ...active, state: 'retired', retiredAt: now, sealed: null });
    expect(verifies(retired, text, signature)).toBe(true);
  });

  it('lists retired keys for two hours, the newest first', async () => {
    const [first, second] = await activeAndNext();
    const retiredIds = async (): Promise<string[]> => (await lease()).slice(2).map(({ id }) => id);
    await rotate(first.id);
    now += 60_000;
    await rotate(second.id);
    expect(await retiredIds()).toEqual([second.id, first.id]);
    now += TWO_HOURS - 60_001;
    expect(await retiredIds()).toEqual([second.id, first.id]);
    now += 1;
    expect(await retiredIds()).toEqual([second.id]);
    now += 60_000;
    expect(await retiredIds()).toEqual([]);
  });

  it('does nothing when the expected key is not active: not the next, a retired, an unknown one', async () => {
    const [active, next] = await activeAndNext();
    await rotate(active.id);
    const before = states(await lease());
    for (const expected of [active.id, before[1]![0]!, newId('key')]) {
      for (const retireNow of [false, true]) {
        const { rotated, keys } = await rotate(expected, retireNow);
        expect([rotated, states(keys)]).toEqual([false, before]);
      }
    }
    expect(before[0]).toEqual([next.id, 'active']);
  });

  it('happens once when replicas ask at the same time, and all end with the same keys (V-14)', async () => {
    for (let round = 0; round < 5; round++) {
      const [active, next] = await activeAndNext();
      const replies = await Promise.all(Array.from({ length: 8 }, (_, at) => rotate(active.id, at % 4 === 3, (at % 2 === 0 ? one : two).auth)));
      expect(replies.filter(({ rotated }) => rotated)).toHaveLength(1);
      expect(replies.every(({ keys }) => keys[0]!.id === next.id)).toBe(true);
      expect(new Set(replies.map(({ keys }) => keys[1]!.id)).size).toBe(1);
    }
    const counts = await db.query(`SELECT state, count(*)::int AS keys FROM wrapped_keys WHERE purpose = 'token-signing' AND state <> 'retired' GROUP BY state ORDER BY state`);
    expect(counts).toEqual([
      { state: 'active', keys: 1 },
      { state: 'next', keys: 1 },
    ]);
  });

  it('of a key that somebody else knows takes it out of every list and out of the database', async () => {
    const [active, next] = await activeAndNext();
    const { rotated, keys } = await rotate(active.id, true);
    expect(rotated).toBe(true);
    expect(states(keys)).toEqual([[next.id, 'active'], [keys[1]!.id, 'next']]);
    expect(states(await lease(two.auth))).toEqual(states(keys));
    expect(await db.query('SELECT 1 FROM wrapped_keys WHERE id = $1', [active.id])).toEqual([]);
  });

  it('twice replaces the next key too, when both leased keys are known to somebody', async () => {
    const [active, next] = await activeAndNext();
    await rotate(active.id, true);
    const { keys } = await rotate(next.id, true);
    expect(keys).toHaveLength(2);
    expect(keys.map(({ id }) => id)).not.toEqual(expect.arrayContaining([active.id]));
    expect(keys.map(({ id }) => id)).not.toEqual(expect.arrayContaining([next.id]));
  });

  it('is refused whole when the row of the next key was altered: the active one goes on signing', async () => {
    const [active, next] = await activeAndNext();
    const [row] = await db.query<{ wrapped: Buffer }>('SELECT wrapped FROM wrapped_keys WHERE id = $1', [next.id]);
    const altered = Buffer.from(row!.wrapped);
    altered[20]! ^= 1;
    await db.query('UPDATE wrapped_keys SET wrapped = $2 WHERE id = $1', [next.id, altered]);
    await expect(rotate(active.id)).rejects.toMatchObject({ code: 'internal' });
    await expect(rotate(active.id, true)).rejects.toMatchObject({ code: 'internal' });
    await db.query('UPDATE wrapped_keys SET wrapped = $2 WHERE id = $1', [next.id, row!.wrapped]);
    expect(states(await lease())).toEqual([[active.id, 'active'], [next.id, 'next']]);
  });

  it('is logged by ids, without a key', async () => {
    const [active, next] = await activeAndNext();
    await rotate(active.id);
    const line = logLines.findLast((text) => text.includes('token signing key rotated'))!;
    expect(JSON.parse(line)).toMatchObject({ replaced: active.id, retiredNow: false, active: next.id });
    const der = openSealed(instance, active.sealed!, vaultContracts.keyContext('token-signing', active.id));
    const written = logLines.join('');
    // Within the private scalar, and whole base64 groups.
    for (const spelling of ['hex', 'base64', 'base64url'] as const) expect(written).not.toContain(der.toString(spelling, 39, 66));
  });
});

describe('the start of the vault', () => {
  it('takes the next key when there is no active one, and makes another next', async () => {
    const [active, next] = await activeAndNext();
    await db.query(`UPDATE wrapped_keys SET state = 'retired' WHERE id = $1`, [active.id]);
    await stopReplica(two);
    two = await startReplica();
    const keys = await lease(two.auth);
    expect(states(keys)).toEqual([[next.id, 'active'], [keys[1]!.id, 'next']]);
  });

  it('makes the next key where there is none, and both where the database is older than they are', async () => {
    const [active, next] = await activeAndNext();
    await stopReplica(two);
    await db.query('DELETE FROM wrapped_keys WHERE id = $1', [next.id]);
    two = await startReplica();
    const [same, another] = await activeAndNext();
    expect([same.id, another.id === next.id]).toEqual([active.id, false]);
    await stopReplica(two);
    await db.query(`DELETE FROM wrapped_keys WHERE purpose IN ('token-signing', 'auth-secret')`);
    two = await startReplica();
    expect((await lease()).map(({ state }) => state)).toEqual(['active', 'next']);
  });
});

describe('the key of auth’s own secrets', () => {
  const leaseSecretKeys = async (): Promise<{ id: string; bytes: Buffer }[]> => {
    const { keys } = await one.auth.request(vaultContracts.leaseAuthSecretKey, { instanceKey: instance.publicKey });
    return keys.map(({ id, sealed }) => ({ id, bytes: openSealed(instance, sealed, vaultContracts.keyContext('auth-secret', id)) }));
  };

  it('is 32 bytes, the same at every lease, and leased after its successor once it is retired', async () => {
    const [before, ...none] = await leaseSecretKeys();
    expect([before!.bytes.length, none]).toEqual([32, []]);
    expect(await leaseSecretKeys()).toEqual([before]);
    await db.query(`UPDATE wrapped_keys SET state = 'retired' WHERE purpose = 'auth-secret'`);
    await stopReplica(two);
    two = await startReplica();
    const [after, ...older] = await leaseSecretKeys();
    expect(after!.bytes.equals(before!.bytes)).toBe(false);
    expect(older).toEqual([before]);
  });
});
