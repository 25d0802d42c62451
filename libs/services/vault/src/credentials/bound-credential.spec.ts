import { vaultContracts } from '@gatehouse/contracts';
import { openSealed, sealTo } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newBinding, VaultStage, type Binding, type Replica } from '../rotation/vault-stage.conformance.js';

const KEY = vaultContracts.DPOP_KEY_FIELD;
const TOKEN = { name: 'Authorization', value: 'DPoP a-"quoted"-token' };

let stage: VaultStage;
let vault: Replica;
let db: Database;

beforeAll(async () => {
  stage = await VaultStage.open();
  const [database, kekFile] = await Promise.all([stage.newDatabase(), stage.newKeyFile()]);
  vault = await stage.start(database, { kekFile });
  db = await stage.tables(database);
}, 60_000);

afterAll(async () => {
  await vault.close();
  await db.close();
  await stage.close();
}, 30_000);

const store = async (fields: readonly { name: string; value: string }[], binding: Binding = newBinding()): Promise<Binding> => {
  const { publicKey } = await vault.gateway.request(vaultContracts.getEntryKey, {});
  const sealed = fields.map(({ name, value }) => ({ name, sealed: sealTo(publicKey, Buffer.from(value), vaultContracts.entryContext(binding.identityId, name)) }));
  await vault.gateway.request(vaultContracts.storeCredential, { ...binding, fields: sealed });
  return binding;
};
const leased = async (binding: Binding): Promise<vaultContracts.LeasedHeaders> => {
  const { sealed } = await vault.leased(binding);
  const opened = openSealed(vault.edge, sealed, vaultContracts.leaseContext(binding.identityId, binding.serverId, binding.origin));
  return vaultContracts.leasedHeaders.parse(JSON.parse(opened.toString()));
};

describe('the key that a token is bound to', () => {
  it('is leased beside the headers, and never as one', async () => {
    const binding = await store([{ name: KEY, value: 'MIGH-key' }, TOKEN, { name: 'X-Tenant', value: '7' }]);
    const { headers, dpopKey } = await leased(binding);
    expect([headers.sort(), dpopKey]).toEqual([[['Authorization', TOKEN.value], ['X-Tenant', '7']], 'MIGH-key']);
  });

  it('goes with the token: the next one without a key has none', async () => {
    const binding = await store([TOKEN, { name: KEY, value: 'MIGH-key' }]);
    expect(await leased(await store([TOKEN], binding))).toEqual({ headers: [['Authorization', TOKEN.value]] });
  });

  it.each([
    ['alone', [{ name: KEY, value: 'MIGH-key' }]],
    ['twice', [TOKEN, { name: KEY, value: 'one' }, { name: KEY, value: 'two' }]],
    ['with a line break', [TOKEN, { name: KEY, value: 'one\ntwo' }]],
    ['under another such name', [TOKEN, { name: ':other-key', value: 'one' }]],
  ])('is refused %s', async (_how, fields) => {
    await expect(store(fields)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('is sealed as every secret is: with a byte of it changed, or under the name of a header, nothing is leased', async () => {
    const change = (sql: string, { identityId }: Binding): Promise<object[]> => db.query(`UPDATE credential_fields SET ${sql} WHERE identity_id = $1 AND name = $2`, [identityId, KEY]);
    for (const sql of ['blob = set_byte(blob, length(blob) - 1, get_byte(blob, length(blob) - 1) # 1)', "name = 'x-key'"]) {
      const binding = await store([TOKEN, { name: KEY, value: 'MIGH-key' }]);
      await change(sql, binding);
      await expect(vault.leased(binding)).rejects.toMatchObject({ code: 'internal' });
    }
  });
});
