import { randomUUID } from 'node:crypto';
import { clientContracts } from '@gatehouse/contracts';
import type { JsonObject } from '@gatehouse/kernel';
import { startIdentityProvider, type IdentityProvider, type OAuthAnswer, type PublicClient } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthStage } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting, type Connected } from '../connecting.conformance.js';

const [JWT_BEARER, TOKEN_EXCHANGE] = clientContracts.SPECIAL_GRANTS;
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SUBJECT = 'company-ada';

let stage: AuthStage;
let desk: Connecting;
let idp: IdentityProvider;
let ada: string;
let special: PublicClient;

const setProvider = (change: JsonObject = {}) =>
  stage.db.query('INSERT INTO identity_providers (name, settings, created_at) VALUES ($1, $2, 1) ON CONFLICT (name) DO UPDATE SET settings = EXCLUDED.settings', [
    'acme',
    { displayName: 'Acme', issuer: idp.issuer, clientId: 'x', scopes: ['openid'], claims: { name: 'name', email: 'email', groups: 'groups' }, provisioning: 'first-use', linkByEmail: false, administratorRule: null, identityAssertions: true, allowPrivateNetwork: true, enabled: true, ...change },
  ]);

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  idp = await startIdentityProvider();
  ada = await stage.person('Ada');
  await stage.db.query('INSERT INTO logins (issuer, subject, person_id, last_at) VALUES ($1, $2, $3, 1)', [idp.issuer, SUBJECT, ada]);
  await setProvider();
  special = (await desk.preRegistered({ specialGrants: [...clientContracts.SPECIAL_GRANTS] })).client;
}, 60_000);
afterAll(async () => {
  await idp.close();
  await stage.close();
}, 30_000);

const listed = async () => (await stage.gateway.request(clientContracts.listGrants, { callerId: ada })).items.map(({ id }) => id);
const revoke = async (id: string) => stage.gateway.request(clientContracts.revokeGrant, { actor: await stage.administrator(), id, ownedBy: null });
const gidOf = (answer: OAuthAnswer): string => String(decodeJwt(accessTokenOf(answer))['gid']);

describe('an identity assertion', () => {
  const assertion = (wish: Record<string, unknown> = {}, signing = {}) =>
    idp.issueIdJag({ sub: SUBJECT, aud: stage.origin, client_id: special.options.clientId, resource: desk.notes, scope: 'mcp:access', ...wish } as never, signing);
  const redeem = (text: string, more = {}, client = special) => client.token({ grant_type: JWT_BEARER, assertion: text, client_id: client.options.clientId, ...more });

  it('gives an access token for its endpoint, without a refresh token, under a grant that can be ended', async () => {
    const answer = await redeem(await assertion());
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 3_600, scope: 'mcp:access' });
    expect([answer.json['refresh_token'], answer.headers['cache-control']]).toEqual([undefined, 'no-store']);
    expect(decodeJwt(accessTokenOf(answer))).toMatchObject({ iss: stage.origin, aud: desk.notes, sub: ada, client_id: special.options.clientId });
    expect(await listed()).toContain(gidOf(answer));
    await revoke(gidOf(answer));
    expect(await desk.denied()).toContain(gidOf(answer));
  });

  it('is good once, also when it comes ten times at once', async () => {
    const text = await assertion();
    const all = await Promise.all(Array.from({ length: 10 }, () => redeem(text)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await redeem(text)).json['error']).toBe('invalid_grant');
  });

  const now = () => Math.floor(Date.now() / 1_000);
  it.each<[string, () => Record<string, unknown>, object?]>([
    ['of another type', () => ({}), { typ: 'JWT' }],
    ['that is an access token', () => ({}), { typ: 'at+jwt' }],
    ['of a key the provider never published', () => ({}), { foreignKey: true }],
    ['of an unknown kid', () => ({}), { kid: 'unknown' }],
    ['for another authorization server', () => ({ aud: 'https://other.test' })],
    ['for several', () => ({ aud: [stage.origin, 'https://other.test'] })],
    ['of an issuer nobody trusts', () => ({ iss: 'https://evil.test' })],
    ['for another client', () => ({ client_id: 'cli_other' })],
    ['without a client', () => ({ client_id: undefined })],
    ['without an id', () => ({ jti: undefined })],
    ['without an end', () => ({ exp: undefined })],
    ['that is over', () => ({ iat: now() - 400, exp: now() - 100 })],
    ['that lives too long', () => ({ exp: now() + 3_600 })],
    ['from the future', () => ({ iat: now() + 120, exp: now() + 200 })],
    ['about nobody here', () => ({ sub: 'stranger' })],
    ['without a resource', () => ({ resource: undefined })],
  ])('%s is refused', async (_what, wish, signing = {}) => {
    expect(await redeem(await assertion({ jti: randomUUID(), ...wish() }, signing))).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it.each([
    ['an endpoint that is not here', () => ({ resource: `${stage.origin}/mcp/unknown` }), 'invalid_target'],
    ['another origin', () => ({ resource: 'https://evil.test/mcp/notes' }), 'invalid_target'],
    ['the admin API', () => ({ resource: `${stage.origin}/api/v1`, scope: 'admin' }), 'invalid_scope'],
    ['the admin API with a scope of endpoints', () => ({ resource: `${stage.origin}/api/v1` }), 'invalid_target'],
    ['more than access', () => ({ scope: 'mcp:access admin' }), 'invalid_scope'],
  ])('for %s is refused, and not used up', async (_what, wish, error) => {
    expect((await redeem(await assertion(wish()))).json['error']).toBe(error);
  });

  it('cannot be widened by the request', async () => {
    expect((await redeem(await assertion(), { scope: 'admin' })).json['error']).toBe('invalid_scope');
    expect((await redeem(await assertion(), { resource: `${stage.origin}/mcp/mail` })).json['error']).toBe('invalid_target');
  });

  it('is for clients that were registered for it and prove who they are', async () => {
    const text = await assertion();
    const { client: without } = await desk.preRegistered();
    expect((await redeem(text, {}, without)).json['error_description']).toContain('not allowed for this client');
    expect((await redeem(text, {}, await desk.registered({ grant_types: [JWT_BEARER, 'authorization_code'] }))).status).toBe(400);
    expect(await redeem(text, {}, desk.client({ clientId: special.options.clientId }))).toMatchObject({ status: 401 });
    expect(await redeem(text, {}, desk.client({ clientId: special.options.clientId, secret: 'guess' }))).toMatchObject({ status: 401 });
  });

  it('is refused while the provider is off, and while the person is disabled', async () => {
    for (const change of [{ enabled: false }, { identityAssertions: false }]) {
      await setProvider(change);
      expect((await redeem(await assertion())).json['error']).toBe('invalid_grant');
    }
    await setProvider();
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [ada]);
    expect((await redeem(await assertion())).json['error']).toBe('invalid_grant');
    await stage.db.query(`UPDATE people SET status = 'active' WHERE id = $1`, [ada]);
  });

  it('about a person who never signed in is refused with what to do', async () => {
    const { json } = await redeem(await assertion({ sub: 'new-colleague' }));
    expect([json['error'], json['error_description']]).toEqual(['invalid_grant', expect.stringContaining('sign in to Gatehouse once')]);
  });

  it('waits, and is not used up, while the provider cannot be asked', async () => {
    const away = await startIdentityProvider();
    await setProvider({ issuer: away.issuer });
    const text = await away.issueIdJag({ sub: SUBJECT, aud: stage.origin, client_id: special.options.clientId, resource: desk.notes });
    await away.close();
    expect(await redeem(text)).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } });
    await setProvider();
  });

  it('asks the provider for keys at most once in thirty seconds, however many unknown ones are named', async () => {
    await redeem(await assertion());
    const asked = () => idp.requests().filter(({ path }) => /jwks|keys/.test(path)).length;
    const before = asked();
    for (let turn = 0; turn < 20; turn++) await redeem(await assertion({}, { kid: `unknown-${turn}` }));
    expect(asked() - before).toBeLessThanOrEqual(1);
  });
});

describe('token exchange', () => {
  const mail = (): string => `${stage.origin}/mcp/mail`;
  const exchange = (subject: string, more = {}, client = special) =>
    client.token({ grant_type: TOKEN_EXCHANGE, subject_token: subject, subject_token_type: ACCESS_TOKEN, resource: mail(), client_id: client.options.clientId, ...more });
  let connected: Connected;
  beforeAll(async () => void (connected = await desk.connected(ada)), 30_000);
  const own = (): string => accessTokenOf(connected.tokens);

  it('goes on to another endpoint in the same name, no longer than the token it came from', async () => {
    stage.clock.advance(600_000);
    const answer = await exchange(own());
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    expect(answer.json).toMatchObject({ issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', scope: 'mcp:access' });
    expect(answer.json['expires_in']).toBeLessThanOrEqual(3_060);
    expect(answer.json['refresh_token']).toBeUndefined();
    expect(decodeJwt(accessTokenOf(answer))).toMatchObject({ aud: mail(), sub: ada, client_id: special.options.clientId });
  });

  it('ends with the grant it came from, over any number of exchanges', async () => {
    const source = await desk.connected(ada);
    const first = await exchange(accessTokenOf(source.tokens));
    const second = await exchange(accessTokenOf(first), { resource: desk.notes });
    await revoke(source.gid);
    expect(await desk.denied()).toEqual(expect.arrayContaining([gidOf(first), gidOf(second)]));
    expect((await exchange(accessTokenOf(first))).json['error']).toBe('invalid_request');
  });

  it('ends with the one token it came from', async () => {
    const source = await desk.connected(ada);
    const derived = await exchange(accessTokenOf(source.tokens));
    await source.client.revoke(accessTokenOf(source.tokens));
    expect(await desk.denied()).toContain(gidOf(derived));
  });

  it.each<[string, () => object, string]>([
    ['no resource', () => ({ resource: undefined }), 'invalid_request'],
    ['an unknown endpoint', () => ({ resource: `${stage.origin}/mcp/unknown` }), 'invalid_target'],
    ['the admin API', () => ({ resource: `${stage.origin}/api/v1` }), 'invalid_target'],
    ['a wider scope', () => ({ scope: 'mcp:access admin' }), 'invalid_scope'],
    ['an actor', () => ({ actor_token: 'x', actor_token_type: ACCESS_TOKEN }), 'invalid_request'],
    ['a refresh token asked for', () => ({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }), 'invalid_request'],
    ['a subject of another type', () => ({ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }), 'invalid_request'],
    ['two subjects', () => ({ subject_token: ['a', 'b'] }), 'invalid_request'],
  ])('is refused with %s', async (_what, more, error) => {
    expect((await exchange(own(), more())).json['error']).toBe(error);
  });

  it('takes no token that is not ours, not an access token, or spoilt', async () => {
    const foreign = await idp.issueAccessToken({ sub: ada, aud: desk.notes, scope: 'mcp:access' });
    const [head, body, signature] = own().split('.') as [string, string, string];
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`;
    for (const subject of [foreign, none, `${head}.${body}.${signature.slice(0, -4)}AAAA`, 'garbage', String(connected.tokens.json['refresh_token'])]) {
      expect((await exchange(subject)).json['error']).toBe('invalid_request');
    }
  });

  it('is for clients that were registered for it', async () => {
    const { client } = await desk.preRegistered();
    expect((await exchange(own(), {}, client)).json['error_description']).toContain('not allowed for this client');
    expect((await exchange(own(), {}, await desk.registered({ grant_types: [TOKEN_EXCHANGE, 'authorization_code'] }))).status).toBe(400);
  });

  it('is refused for a person who is disabled', async () => {
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [ada]);
    expect((await exchange(own())).json['error']).toBe('invalid_grant');
    await stage.db.query(`UPDATE people SET status = 'active' WHERE id = $1`, [ada]);
  });
});
