import { generateKeyPairSync } from 'node:crypto';
import { clientContracts, type Actor } from '@gatehouse/contracts';
import { newSealingKeyPair } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage, REDIRECT } from '../auth-stage.conformance.js';
import { Connecting, refreshTokenOf } from '../authorization-server/connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let actor: Actor;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  actor = await stage.administrator();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const decide = (id: string, status: 'allowed' | 'denied') => stage.gateway.request(clientContracts.decideClient, { actor, id, status });
const create = (wish: object) =>
  stage.gateway.request(clientContracts.createClient, {
    actor, edgeKey: newSealingKeyPair().publicKey, name: 'Bad', redirectUris: [REDIRECT], authMethod: 'none', jwks: null, specialGrants: [], requireDpop: false, requirePar: false, ...wish,
  });

describe('a client that an administrator registers', () => {
  it('has a secret that is shown once, kept as a digest, and connects with it', async () => {
    const { client, shown } = await desk.preRegistered();
    expect(shown).toMatchObject({ kind: 'registered', name: 'Pre-registered', host: '127.0.0.1:33418', status: 'allowed', authMethod: 'client_secret_basic', grants: 0, lastUsedAt: null });
    expect(shown.id).toMatch(/^cli_[\w-]{22}$/);
    expect(client.options.secret).toMatch(/^ghs_gatehouse_/);
    const kept = JSON.stringify(await stage.db.query('SELECT * FROM clients WHERE id = $1', [shown.id]));
    expect(kept).not.toContain(client.options.secret);
    const { tokens } = await desk.connected(ada, client);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
    expect(await desk.shown(shown.id)).toMatchObject({ grants: 1, lastUsedAt: stage.clock.now() });
  });

  it.each([
    ['no secret', undefined], ['another secret', 'ghs_gatehouse_wrong'], ['the digest that is kept', 'kept'],
  ])('is refused with %s', async (_how, secret) => {
    const { client, shown } = await desk.preRegistered();
    const answer = await desk.consented(client, await desk.browser(ada, client));
    const [row] = await stage.db.query<{ kept: string }>(`SELECT metadata ->> 'client_secret' AS kept FROM clients WHERE id = $1`, [shown.id]);
    const other = secret === undefined ? {} : { secret: secret === 'kept' ? row!.kept : secret };
    const thief = desk.client({ clientId: shown.id, ...other });
    expect(await thief.exchange(answer['code'], { code_verifier: client.pkce.verifier })).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect((await client.exchange(answer['code'])).status).toBe(200);
  });

  it('may have to push its requests', async () => {
    const { client } = await desk.preRegistered({ requirePar: true });
    const page = await desk.ask(client, await desk.browser(ada, client));
    expect(page.url).toContain('error=invalid_request');
  });

  it('may have to bind its tokens', async () => {
    const { client } = await desk.preRegistered({ requireDpop: true });
    const answer = await desk.consented(client, await desk.browser(ada, client));
    expect(await client.exchange(answer['code'])).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  it.each([
    ['a redirect URI without encryption', { redirectUris: ['http://evil.test/cb'] }],
    ['javascript', { redirectUris: ['javascript:alert(1)'] }],
    ['no redirect URI and no special grant', { redirectUris: [] }],
    ['special grants without proof of who it is', { specialGrants: [clientContracts.SPECIAL_GRANTS[0]] }],
    ['special grants with bound tokens', { authMethod: 'client_secret_post', requireDpop: true, specialGrants: [clientContracts.SPECIAL_GRANTS[0]] }],
    ['keys without private_key_jwt', { jwks: { keys: [jwk] } }],
    ['private_key_jwt without keys', { authMethod: 'private_key_jwt' }],
    ['a private key', { authMethod: 'private_key_jwt', jwks: { keys: [privateKey.export({ format: 'jwk' })] } }],
  ])('is refused with %s', async (_what, wish) => {
    await expect(create(wish)).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('a client that is kept out', () => {
  it('loses its grants at once, and is nobody until it is let in again', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    const id = client.options.clientId;
    const { client: shown, directory } = await decide(id, 'denied');
    expect(shown).toMatchObject({ status: 'denied', grants: 0 });
    expect(await desk.denied()).toContain(gid);
    expect((await stage.directory()).version).toBe(directory.version);
    expect(await client.refresh(refreshTokenOf(tokens))).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    const page = await desk.ask(client, await desk.browser(ada, client));
    expect([page.status, page.stopped, page.text.includes('does not know this client')]).toEqual([400, false, true]);
    expect((await decide(id, 'denied')).client.status).toBe('denied');
    await decide(id, 'allowed');
    await desk.connected(ada, client);
  });

  it('gets nothing for a code that was on its way', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, await desk.browser(ada, client));
    await decide(client.options.clientId, 'denied');
    await decide(client.options.clientId, 'allowed');
    expect(await client.exchange(code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('is gone when it is removed, with its grants', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    await stage.gateway.request(clientContracts.deleteClient, { actor, id: client.options.clientId });
    expect(await desk.denied()).toContain(gid);
    expect(await desk.shown(client.options.clientId)).toBeUndefined();
    expect(await client.refresh(refreshTokenOf(tokens))).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    await expect(stage.gateway.request(clientContracts.deleteClient, { actor, id: client.options.clientId })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('service accounts are none of these clients', async () => {
    const id = 'svc_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3';
    await stage.db.query(`INSERT INTO clients (id, kind, name, status, metadata, created_at) VALUES ($1, 'service-account', 'Bot', 'allowed', '{}', 1)`, [id]);
    expect(await desk.shown(id)).toBeUndefined();
    await expect(decide(id, 'denied')).rejects.toMatchObject({ code: 'not_found' });
    await expect(stage.gateway.request(clientContracts.deleteClient, { actor, id })).rejects.toMatchObject({ code: 'not_found' });
  });
});
