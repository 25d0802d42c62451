import { vaultContracts } from '@gatehouse/contracts';
import { newId, systemClock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newBinding, secretsMoved, VaultStage, type Binding, type Replica } from '../rotation/vault-stage.conformance.js';

const START = 1_790_000_000_000;
const HOUR = 3_600_000;
let now = START;
const clock = { ...systemClock, now: () => now };

let stage: VaultStage;
let vault: Replica;
let db: Database;
let restart: () => Promise<void>;

beforeAll(async () => {
  stage = await VaultStage.open();
  const [database, kekFile] = await Promise.all([stage.newDatabase(), stage.newKeyFile()]);
  vault = await stage.start(database, { kekFile }, clock);
  db = await stage.tables(database);
  restart = async () => {
    await vault.close();
    vault = await stage.start(database, { kekFile }, clock);
  };
}, 60_000);

afterAll(async () => {
  await vault.close();
  await db.close();
  await stage.close();
}, 30_000);

const refused = (code: string): object => ({ code, details: {} });
const setEnd = ({ identityId }: Binding, end: number | null): Promise<object[]> => db.query('UPDATE credentials SET expires_at = $2 WHERE identity_id = $1', [identityId, end]);
const blobOf = async ({ identityId }: Binding): Promise<Buffer> =>
  (await db.query<{ blob: Buffer }>('SELECT blob FROM credential_fields WHERE identity_id = $1', [identityId]))[0]!.blob;
const putBlob = ({ identityId }: Binding, blob: Buffer): Promise<object[]> => db.query('UPDATE credential_fields SET blob = $2 WHERE identity_id = $1', [identityId, blob]);

describe('a credential with an end', () => {
  it('is leased for a minute at most, never beyond its end, and then no more', async () => {
    now = START;
    const binding = await vault.storeUntil(START + HOUR, 'one');
    expect(await vault.leased(binding)).toMatchObject({ expiresInMs: 60_000, credentialExpiresInMs: HOUR });
    now = START + HOUR - 12_345;
    expect(await vault.leased(binding)).toMatchObject({ expiresInMs: 12_345, credentialExpiresInMs: 12_345 });
    now = START + HOUR - 1;
    expect(await vault.leased(binding)).toMatchObject({ expiresInMs: 1, credentialExpiresInMs: 1 });
    for (now of [START + HOUR, START + 2 * HOUR]) await expect(vault.lease(binding)).rejects.toMatchObject(refused('credential_expired'));
  });

  it('lives on with the next version, with another end or none', async () => {
    now = START;
    const binding = await vault.storeUntil(START + 1_000, 'one');
    now = START + 2_000;
    await expect(vault.lease(binding)).rejects.toMatchObject(refused('credential_expired'));
    await vault.storeUntil(START + HOUR, 'two', binding);
    expect(await vault.lease(binding)).toBe('two');
    await vault.storeUntil(null, 'three', binding);
    now = START + 100 * HOUR;
    expect(await vault.leased(binding)).toMatchObject({ version: 3, expiresInMs: 60_000, credentialExpiresInMs: null });
  });

  it('is missing, not expired, to whoever names another owner', async () => {
    now = START;
    const binding = await vault.storeUntil(START - 1, 'one');
    await expect(vault.lease({ ...binding, owner: newId('person') })).rejects.toMatchObject(refused('credential_missing'));
  });

  it('cannot be given another life in the database, longer, shorter, without end or from without', async () => {
    now = START;
    const [ending, endless] = [await vault.storeUntil(START + HOUR, 'one'), await vault.storeUntil(null, 'two')];
    for (const end of [START + 2 * HOUR, START + HOUR + 1, START - HOUR, null]) {
      await setEnd(ending, end);
      await expect(vault.lease(ending)).rejects.toMatchObject({ code: 'internal' });
    }
    await setEnd(endless, START + HOUR);
    await expect(vault.lease(endless)).rejects.toMatchObject({ code: 'internal' });
    await setEnd(ending, START + HOUR);
    await setEnd(endless, null);
    expect([await vault.lease(ending), await vault.lease(endless)]).toEqual(['one', 'two']);
  });

  it('keeps its end when it is sealed anew under another key', async () => {
    now = START;
    const binding = await vault.storeUntil(START + HOUR, 'one');
    await vault.rotate('credential');
    await vault.until(secretsMoved);
    expect(await vault.leased(binding)).toMatchObject({ credentialExpiresInMs: HOUR });
    now = START + HOUR;
    await expect(vault.lease(binding)).rejects.toMatchObject(refused('credential_expired'));
  });
});

describe('a credential that is given to another owner', () => {
  const personal = (): Binding => ({ ...newBinding(), owner: newId('person') });

  it('is theirs from then on, as the next version and with the same end; asking twice is fine', async () => {
    now = START;
    const mine = await vault.storeUntil(START + HOUR, 'one', personal());
    const global = { ...mine, owner: 'global' };
    const heard: number[] = [];
    const following = await vault.gateway.events.follow(vaultContracts.credentialChanged, ({ identityId, version }) => void (identityId === mine.identityId && heard.push(version)));
    expect([await vault.transfer(mine, mine.owner, 'global'), await vault.transfer(mine, mine.owner, 'global')]).toEqual([2, 2]);
    expect(await vault.leased(global)).toMatchObject({ version: 2, credentialExpiresInMs: HOUR });
    expect(await vault.lease(global)).toBe('one');
    await expect(vault.lease(mine)).rejects.toMatchObject(refused('credential_missing'));
    for (const until = Date.now() + 5_000; !heard.includes(2) && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard.filter((version) => version === 2)).toHaveLength(1);
    await following.close();
    expect(await vault.transfer(mine, 'global', mine.owner)).toBe(3);
    expect(await vault.lease(mine)).toBe('one');
  });

  it('moves once when it is asked for at the same time, beside stores of the same identity', async () => {
    const mine = await vault.store('one', personal());
    const stores = Array.from({ length: 4 }, (_, at) => vault.store(`value-${at}`, mine).then(() => 'stored', ({ code }: { code: string }) => code));
    const versions = await Promise.all(Array.from({ length: 6 }, () => vault.transfer(mine, mine.owner, 'global')));
    expect(new Set(versions).size).toBe(1);
    const outcomes = await Promise.all(stores);
    // Each came before it, and moved with it, or after it, and was the store of a stranger.
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(versions[0]! - 2);
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(4 - versions[0]! + 2);
    expect(await vault.lease({ ...mine, owner: 'global' })).toMatch(/^(one|value-\d)$/);
  });

  it('is refused to whoever names another owner, and says nothing of one that is not there', async () => {
    const mine = await vault.store('one', personal());
    await expect(vault.transfer(mine, newId('person'), 'global')).rejects.toMatchObject(refused('conflict'));
    await expect(vault.transfer(newBinding(), mine.owner, 'global')).rejects.toMatchObject(refused('credential_missing'));
    await expect(vault.transfer({ ...mine, serverId: newId('server') }, mine.owner, 'global')).rejects.toMatchObject(refused('credential_missing'));
    expect(await vault.leased(mine)).toMatchObject({ version: 1 });
    await vault.gateway.request(vaultContracts.destroyCredential, { identityId: mine.identityId });
    await expect(vault.transfer(mine, mine.owner, 'global')).rejects.toMatchObject(refused('credential_missing'));
    await expect(vault.transfer(mine, mine.owner, mine.owner)).rejects.toMatchObject(refused('credential_missing'));
  });

  it('cannot be taken or given back by hand: its old blob, its old owner, one flipped byte', async () => {
    const mine = await vault.store('one', personal());
    const old = await blobOf(mine);
    await vault.transfer(mine, mine.owner, 'global');
    const global = { ...mine, owner: 'global' };
    const moved = await blobOf(mine);
    const byHand = (owner: string, version: number): Promise<object[]> => db.query('UPDATE credentials SET owner = $2, version = $3 WHERE identity_id = $1', [mine.identityId, owner, version]);
    for (const [owner, version, blob] of [[mine.owner, 2, moved], [mine.owner, 1, moved], ['global', 2, old], ['global', 1, old], ['global', 1, moved]] as const) {
      await byHand(owner, version);
      await putBlob(mine, blob);
      await expect(vault.lease({ ...mine, owner })).rejects.toMatchObject({ code: 'internal' });
    }
    await byHand('global', 2);
    for (let at = 0; at < moved.length; at += 7) {
      const altered = Buffer.from(moved);
      altered[at]! ^= 0x80;
      await putBlob(mine, altered);
      await expect(vault.lease(global)).rejects.toMatchObject({ code: 'internal' });
    }
    await putBlob(mine, moved);
    expect(await vault.lease(global)).toBe('one');
  });

  it('is not moved when it does not open', async () => {
    const mine = await vault.store('one', personal());
    const blob = await blobOf(mine);
    blob[95]! ^= 1;
    await putBlob(mine, blob);
    await expect(vault.transfer(mine, mine.owner, 'global')).rejects.toMatchObject({ code: 'internal' });
    expect(await db.query('SELECT owner, version FROM credentials WHERE identity_id = $1', [mine.identityId])).toEqual([{ owner: mine.owner, version: 1 }]);
  });
});

describe('keys that verify statements about calls', () => {
  const listed = async (): Promise<string[]> => (await vault.gateway.request(vaultContracts.listVerificationKeys, {})).calls.map(({ id }) => id);

  it('are listed before they sign and for an hour after; retired ones are deleted after a day', async () => {
    now = START;
    const [first, second] = await listed();
    expect((await vault.rotate('call-signing')).active).toBe(second);
    const [, third] = await listed();
    expect(await listed()).toEqual([second, third, first]);
    now = START + HOUR;
    expect(await listed()).toEqual([second, third]);
    now = START + 25 * HOUR;
    await restart();
    const stored = async (): Promise<string[]> => (await db.query<{ id: string }>(`SELECT id FROM wrapped_keys WHERE purpose = 'call-signing'`)).map(({ id }) => id);
    for (const until = Date.now() + 5_000; (await stored()).length > 2 && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await stored()).sort()).toEqual([second, third].sort());
  }, 30_000);
});
