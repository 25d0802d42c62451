import { authContracts, identityContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../auth-stage.conformance.js';
import { IdentitiesStage } from './identities-stage.conformance.js';

let stage: IdentitiesStage;

beforeAll(async () => {
  stage = await IdentitiesStage.start(2);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const person = (): Promise<string> => stage.auth.person('Ada');
const which = async (identityId: string, ownedBy: string | null = null) => ({ actor: await stage.actor(), identityId, ownedBy });
const list = async (server: string) => (await stage.auth.gateway.request(identityContracts.listIdentities, { owner: null, server })).items;

describe('an account that is connected', () => {
  it('is shown to its owner and to edges, with nothing of its tokens', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const { id } = await stage.connect(at, { owner });
    const [shown] = await list(at.upstream.name);
    expect(shown).toMatchObject({ id, owner, ownerName: 'Ada', name: 'default', method: 'oauth', grant: 'authorization_code', status: 'active', isRefreshable: true, preferred: false, origin: new URL(at.zoo.url).origin });
    expect(await stage.shownToEdges(id)).toEqual({ id, serverId: at.upstream.id, owner, name: 'default', method: 'oauth', status: 'active', preferred: false });
    expect(stage.credential(id)).toMatchObject({ owner, version: 1, origin: new URL(at.zoo.url).origin, expiresAt: shown!.expiresAt });
    await until('it is told', () => stage.events.some((event) => event.identityId === id && event.cause === 'connected'));
  });

  it('without a name gets the next free one; by the same name it replaces', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const first = await stage.connect(at, { owner });
    expect((await stage.connect(at, { owner })).name).toBe('default-2');
    expect((await stage.connect(at, { owner })).name).toBe('default-3');
    const again = await stage.connect(at, { owner, name: 'default' });
    expect(again).toMatchObject({ id: first.id, tokenVersion: first.tokenVersion + 1 });
    expect(again.refreshRef).not.toBe(first.refreshRef);
    expect(await stage.isTaken(at.zoo, first.id)).toBe(true);
  });

  it('anew keeps its refresh token when none came from the same client', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const first = await stage.connect(at, { owner });
    at.zoo.set({ rotation: 'no-refresh-token' });
    expect((await stage.connect(at, { owner, identityId: first.id })).refreshRef).toBe(first.refreshRef);
    at.zoo.set({ rotation: 'strict' });
    at.zoo.expireAccessTokens();
    stage.auth.clock.advance(3_600_000);
    expect(await stage.ask(first)).toMatchObject({ outcome: 'fresh' });
  });

  it('of another is none; and nobody who is disabled connects one', async () => {
    const at = await stage.oauthServer();
    const [owner, other] = [await person(), await person()];
    const { id } = await stage.connect(at, { owner });
    await expect(stage.connect(at, { owner: other, identityId: id })).rejects.toMatchObject({ code: 'not_found' });
    await stage.auth.gateway.request(authContracts.disablePerson, { actor: await stage.actor(), personId: other });
    await expect(stage.connect(at, { owner: other })).rejects.toMatchObject({ code: 'bad_request' });
    expect((await list(at.upstream.name)).map((one) => one.id)).toEqual([id]);
  });

  it('where another was half written when its auth died leaves nothing that looks usable', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    stage.auth.neighbours.beforeStore = (what) => {
      if (what === 'credential') throw new Error('nobody hears of this');
    };
    await expect(stage.connect(at, { owner })).rejects.toMatchObject({ code: 'internal' });
    stage.auth.neighbours.beforeStore = () => undefined;
    expect(await list(at.upstream.name)).toEqual([]);
    const [left] = await stage.auth.db.query<{ id: string }>('SELECT id FROM identities WHERE hidden AND server_id = $1', [at.upstream.id]);
    stage.auth.clock.advance(11 * 60_000);
    await until('it is swept', async () => (await stage.row(left!.id)) === undefined, 15_000);
    expect((await stage.connect(at, { owner })).name).toBe('default');
  }, 30_000);
});

describe('headers', () => {
  it('are an identity whose last four characters are shown', async () => {
    const upstream = stage.register({ secretHeaders: ['X-Api-Key'] });
    const identity = await stage.store(upstream, 'global');
    expect(identity).toMatchObject({ owner: 'global', ownerName: null, method: 'headers', status: 'active', expiresAt: null, isRefreshable: false });
    expect(identity.secrets).toEqual([{ name: 'X-Api-Key', lastFour: 'test', changedAt: stage.auth.clock.now() }]);
    expect(stage.credential(identity.id)?.headers).toEqual([['X-Api-Key', 'key-of-a-test']]);
  });

  it('are refused by a name that the server does not take, or that belongs to the protocol', async () => {
    const upstream = stage.register({ secretHeaders: ['X-Api-Key'] });
    await expect(stage.store(upstream, 'global', { headers: { Authorization: 'Bearer x' } })).rejects.toMatchObject({ code: 'header_refused' });
    const open = stage.register({});
    for (const name of ['Host', 'Mcp-Session-Id', 'X-Forwarded-For']) await expect(stage.store(open, 'global', { headers: { [name]: 'x' } })).rejects.toMatchObject({ code: 'header_refused' });
    await expect(stage.store({ ...open, id: stage.register({}).id.replace(/.$/, '0') }, 'global')).rejects.toMatchObject({ code: 'unknown_server' });
  });

  it('are stored once by a name, and replaced by their owner only', async () => {
    const upstream = stage.register({});
    const [owner, other] = [await person(), await person()];
    const { id } = await stage.store(upstream, owner);
    await expect(stage.store(upstream, owner)).rejects.toMatchObject({ code: 'conflict' });
    const headers = await stage.sealed(id, { 'X-Api-Key': 'another-key' });
    await expect(stage.auth.gateway.request(identityContracts.replaceIdentityHeaders, { ...(await which(id, other)), headers })).rejects.toMatchObject({ code: 'not_found' });
    const { identity } = await stage.auth.gateway.request(identityContracts.replaceIdentityHeaders, { ...(await which(id, owner)), headers });
    expect(identity.secrets[0]).toMatchObject({ lastFour: '-key' });
    expect(stage.credential(id)).toMatchObject({ version: 2, headers: [['X-Api-Key', 'another-key']] });
  });

  it('that the server refuses twice in a row, a second apart, must be given anew; once they stay', async () => {
    const upstream = stage.register({});
    const { id } = await stage.store(upstream, await person());
    expect(await stage.ask({ id }, { cause: 'refused' })).toEqual({ outcome: 'unchanged', reason: null });
    expect(await stage.ask({ id }, { cause: 'refused' })).toEqual({ outcome: 'unchanged', reason: null });
    stage.auth.clock.advance(1_500);
    expect(await stage.ask({ id }, { cause: 'refused' })).toEqual({ outcome: 'dead', reason: 'server_refused' });
    expect(await stage.shownToEdges(id)).toMatchObject({ status: 'needs_reauth' });
    const headers = await stage.sealed(id, { 'X-Api-Key': 'another-key' });
    await stage.auth.gateway.request(identityContracts.replaceIdentityHeaders, { ...(await which(id)), headers });
    expect(await stage.shownToEdges(id)).toMatchObject({ status: 'active' });
    expect(await stage.ask({ id }, { cause: 'refused' })).toEqual({ outcome: 'unchanged', reason: null });
  });
});

describe('an identity', () => {
  it('is preferred alone among those of its owner', async () => {
    const upstream = stage.register({});
    const owner = await person();
    const [one, two] = [await stage.store(upstream, owner, { name: 'one' }), await stage.store(upstream, owner, { name: 'two' })];
    for (const { id } of [one, two, two]) await stage.auth.gateway.request(identityContracts.preferIdentity, await which(id, owner));
    expect((await list(upstream.name)).map(({ name, preferred }) => [name, preferred])).toEqual([['one', false], ['two', true]]);
  });

  it('becomes everybody’s when it is shared, and is renewed on', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const { id } = await stage.connect(at, { owner });
    const { identity } = await stage.auth.gateway.request(identityContracts.shareIdentity, await which(id, owner));
    expect(identity).toMatchObject({ id, owner: 'global' });
    expect(stage.credential(id)).toMatchObject({ owner: 'global' });
    expect(await stage.shownToEdges(id)).toMatchObject({ owner: 'global' });
    at.zoo.expireAccessTokens();
    stage.auth.clock.advance(3_600_000);
    expect(await stage.ask({ id })).toMatchObject({ outcome: 'fresh' });
    await stage.auth.gateway.request(identityContracts.shareIdentity, await which(id));
    const second = await stage.connect(at, { owner });
    await expect(stage.auth.gateway.request(identityContracts.shareIdentity, await which(second.id, owner))).rejects.toMatchObject({ code: 'conflict' });
    expect(stage.credential(second.id)).toMatchObject({ owner });
  });

  it('is gone at once when it is removed: for edges, in the vault, and where it came from', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const row = await stage.connect(at, { owner });
    await expect(stage.auth.gateway.request(identityContracts.removeIdentity, await which(row.id, await person()))).rejects.toMatchObject({ code: 'not_found' });
    const { identity } = await stage.auth.gateway.request(identityContracts.removeIdentity, await which(row.id, owner));
    expect(identity).toMatchObject({ status: 'revoked', reason: 'revoked_here' });
    expect(await stage.shownToEdges(row.id)).toBeUndefined();
    expect(await list(at.upstream.name)).toEqual([]);
    expect(stage.credential(row.id)?.headers).toEqual([]);
    expect(stage.auth.neighbours.secrets.has(row.refreshRef!)).toBe(false);
    expect(at.zoo.requests('/revoke')).toHaveLength(1);
    expect(await stage.row(row.id)).toBeUndefined();
  });

  it('ends with its owner, and the owner who is back connects another', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const row = await stage.connect(at, { owner });
    await stage.auth.gateway.request(authContracts.disablePerson, { actor: await stage.actor(), personId: owner });
    expect(await stage.shownToEdges(row.id)).toBeUndefined();
    expect((await list(at.upstream.name))[0]).toMatchObject({ status: 'revoked', reason: 'owner_gone' });
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason: 'owner_gone' });
    await until('it is destroyed', () => stage.credential(row.id)?.headers.length === 0, 15_000);
    await until('it is told', () => stage.events.some((event) => event.identityId === row.id && event.cause === 'owner_gone'));
    expect(at.zoo.requests('/revoke')).toHaveLength(1);
    await stage.auth.gateway.request(authContracts.enablePerson, { actor: await stage.actor(), personId: owner });
    const again = await stage.connect(at, { owner });
    expect(again.id).not.toBe(row.id);
    expect((await list(at.upstream.name)).map(({ id, name }) => [id, name])).toEqual([[again.id, 'default']]);
  }, 30_000);

  it('is not sent to another origin that its server moved to', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    stage.auth.neighbours.upstreams.set(at.upstream.id, { ...at.upstream, url: 'http://127.0.0.1:9/mcp' });
    at.zoo.expireAccessTokens();
    stage.auth.clock.advance(3_600_000);
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason: 'origin_changed' });
    expect(at.zoo.refreshes()).toBe(0);
  });

  it('of headers neither: looking at the server there ends it, and so does asking for it without a lease', async () => {
    const [one, two] = [stage.register({}), stage.register({})];
    const [{ id: looked }, { id: asked }] = [await stage.store(one, 'global'), await stage.store(two, 'global')];
    for (const upstream of [one, two]) stage.auth.neighbours.upstreams.set(upstream.id, { ...upstream, url: 'http://127.0.0.1:10/mcp' });
    await stage.auth.gateway.request(identityContracts.discoverUpstream, { serverId: one.id, challenge: null, anew: true });
    expect(await stage.shownToEdges(looked)).toMatchObject({ status: 'needs_reauth' });
    expect(await stage.ask({ id: asked }, { version: 0 })).toEqual({ outcome: 'dead', reason: 'origin_changed' });
    const headers = await stage.sealed(asked, { 'X-Api-Key': 'another-key' });
    const { identity } = await stage.auth.gateway.request(identityContracts.replaceIdentityHeaders, { ...(await which(asked)), headers });
    expect(identity).toMatchObject({ status: 'active', origin: 'http://127.0.0.1:10' });
  });

  it('goes with its server', async () => {
    const at = await stage.oauthServer();
    const rows = [await stage.connect(at, { owner: await person() }), await stage.connect(at, { owner: await person() })];
    const asked = { actor: await stage.actor(), serverId: at.upstream.id };
    expect(await stage.auth.gateway.request(identityContracts.forgetUpstream, asked)).toMatchObject({ identities: 2 });
    expect(await stage.auth.gateway.request(identityContracts.forgetUpstream, asked)).toMatchObject({ identities: 0 });
    for (const { id } of rows) expect(stage.credential(id)?.headers).toEqual([]);
    expect(at.zoo.requests('/revoke')).toHaveLength(2);
  });
});
