import { generateKeyPairSync } from 'node:crypto';
import { identityContracts, vaultContracts, type upstreamContracts } from '@gatehouse/contracts';
import { newId, sealTo, Secret } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import { createLogger } from '@gatehouse/telemetry';
import { TestAuthority, type KnownClient } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildUpstreams, type UpstreamsArea } from './build-upstreams.js';
import { ConnectStage } from './connect-stage.conformance.js';

type Upstream = upstreamContracts.UpstreamServer;

let stage: ConnectStage;
let area: UpstreamsArea;
const outbound = new Outbound();

beforeAll(async () => {
  stage = await ConnectStage.start();
  const { db, clock, neighbours } = stage.auth;
  area = buildUpstreams({ db, clock, bus: neighbours.bus('auth'), outbound, log: createLogger({ service: 'auth', level: 'error' }), publicOrigin: stage.auth.origin, onOtherIssuer: () => Promise.resolve() });
}, 60_000);
afterAll(async () => {
  await outbound.close();
  await stage.close();
}, 30_000);

async function give(upstream: Upstream, kind: 'client_secret' | 'private_key', text: string | null): Promise<void> {
  const secretId = newId('secret');
  const sealed = text === null ? '' : sealTo(stage.auth.neighbours.entryPair.publicKey, Buffer.from(text), vaultContracts.serviceSecretContext(secretId));
  const secret = text === null ? null : { secretId, sealed };
  await stage.auth.gateway.request(identityContracts.putUpstreamSecret, { actor: await stage.auth.administrator(), serverId: upstream.id, kind, secret });
}

const known = (members: Partial<KnownClient>): { clients: KnownClient[]; registration: 'none' } => ({ clients: [{ clientId: 'acme', ...members }], registration: 'none' });

describe('a client registered beforehand', () => {
  const pairs = { ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }), rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }), ed: generateKeyPairSync('ed25519') };
  const pem = (key: keyof typeof pairs) => ({ publicKey: pairs[key].publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey: pairs[key].privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });

  it.each<[string, Partial<KnownClient>, Partial<Upstream['oauth']>, ['client_secret' | 'private_key', string] | null]>([
    ['with a secret', { clientSecret: 'hush' }, {}, ['client_secret', 'hush']],
    ['with a secret in the form', { clientSecret: 'hush' }, { clientAuthMethod: 'client_secret_post' }, ['client_secret', 'hush']],
    ['without a secret', {}, { clientAuthMethod: 'none' }, null],
    ['with an EC key', { publicKey: pem('ec').publicKey }, {}, ['private_key', pem('ec').privateKey]],
    ['with an RSA key', { publicKey: pem('rsa').publicKey }, {}, ['private_key', pem('rsa').privateKey]],
    ['with an Ed25519 key', { publicKey: pem('ed').publicKey }, {}, ['private_key', pem('ed').privateKey]],
  ])('%s gets tokens, and comes back to the one callback that is shown', async (_name, client, oauth, secret) => {
    const { zoo, upstream } = await stage.server({ ...known(client), clients: [{ clientId: 'acme', redirectUris: [`${stage.auth.origin}/oauth/callback`], ...client }] }, { oauth: { clientId: 'acme', ...oauth } });
    if (secret !== null) await give(upstream, ...secret);
    expect((await stage.discover(upstream)).verdict).toBe('sign_in');
    const { id, browser } = await stage.person();
    expect((await stage.press(browser, (await stage.link(id, upstream)).url)).text).toContain('is connected');
    expect(zoo.requests('/register')).toEqual([]);
  });

  it('is asked for its secret until there is one, and again when it was taken away', async () => {
    const { upstream } = await stage.server(known({ clientSecret: 'hush' }), { oauth: { clientId: 'acme', clientAuthMethod: 'client_secret_basic' } });
    expect((await stage.discover(upstream)).advice).toContain('Give the secret of the client acme');
    await give(upstream, 'client_secret', 'hush');
    expect((await stage.discover(upstream)).verdict).toBe('sign_in');
    await give(upstream, 'client_secret', null);
    expect((await stage.discover(upstream)).verdict).toBe('client');
  });

  it('says so when its secret is wrong', async () => {
    const { upstream } = await stage.server(known({ clientSecret: 'hush' }), { oauth: { clientId: 'acme' } });
    await give(upstream, 'client_secret', 'wrong');
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    expect((await stage.press(browser, url)).text).toContain('The sign-in there did not work');
    expect((await stage.state(id, personId)).state).toBe('failed');
  });
});

describe('parameters that were set', () => {
  it('are sent, and none of them can stand in for ours', async () => {
    const oauth = { scopes: ['chat'], scopeParam: 'user_scope', authorizeParams: { access_type: 'offline', state: 'mine', redirect_uri: 'https://evil.example/', code_challenge: 'mine' }, tokenParams: { audience: 'acme' }, resource: 'omit' as const };
    const { zoo, page } = await stage.connected({ scopeParam: 'user_scope' }, { oauth });
    expect(page.text).toContain('is connected');
    const query = zoo.requests('/authorize')[0]!.query;
    expect([query.get('user_scope'), query.get('scope'), query.get('access_type'), query.get('resource')]).toEqual(['chat', null, 'offline', null]);
    expect([query.get('state'), query.get('code_challenge')]).not.toContain('mine');
    expect(query.getAll('redirect_uri')).toHaveLength(1);
    expect(zoo.tokenRequests('authorization_code')[0]!.get('audience')).toBe('acme');
  });

  it('name another resource', async () => {
    const { zoo } = await stage.connected({ resource: 'ignored' }, { oauth: { resource: 'https://api.example/v1' } });
    expect([zoo.requests('/authorize')[0]!.query.get('resource'), zoo.tokenRequests()[0]!.get('resource')]).toEqual(['https://api.example/v1', 'https://api.example/v1']);
  });
});

describe('an authorization server that wants requests pushed', () => {
  it('gets them from the client itself, and the browser carries none of it', async () => {
    const { zoo, page } = await stage.connected({ pushed: true, scopes: ['a'] });
    expect(page.text).toContain('is connected');
    const query = zoo.requests('/authorize')[0]!.query;
    expect([...query.keys()].sort()).toEqual(['client_id', 'request_uri']);
    expect(new URLSearchParams(zoo.requests('/par')[0]!.body).get('code_challenge_method')).toBe('S256');
  });
});

describe('a server behind an authority of its own', () => {
  it('is reached with the certificate that was given, and without it the fix is named', async () => {
    const authority = new TestAuthority();
    const { upstream } = await stage.server({ authority, prm: 'path' });
    const found = await stage.discover(upstream, { challenge: null });
    expect(found).toMatchObject({ verdict: 'failed', steps: expect.arrayContaining([expect.objectContaining({ detail: expect.stringContaining('its certificate') })]) });
    stage.change(upstream, { caCertificate: authority.certificate });
    expect((await stage.discover(upstream, { challenge: null })).verdict).toBe('sign_in');
  });
});

describe('the token endpoint', () => {
  async function static_(behaviour: Parameters<ConnectStage['server']>[0] = {}, oauth: Upstream['oauth'] = {}) {
    const { zoo, upstream } = await stage.server({ ...known({ clientSecret: 'hush' }), ...behaviour }, { oauth: { clientId: 'acme', ...oauth } });
    await give(upstream, 'client_secret', 'hush');
    return { zoo, upstream };
  }

  it('gives tokens to Gatehouse itself', async () => {
    const { zoo, upstream } = await static_({}, { grant: 'client_credentials', scopes: ['a'] });
    const { tokens } = await area.tokens.clientCredentials(upstream);
    expect(tokens.accessToken).toBeInstanceOf(Secret);
    expect(tokens.expiresAt! - stage.auth.clock.now()).toBeLessThanOrEqual(3_600_000);
    expect(Object.fromEntries(zoo.tokenRequests('client_credentials')[0]!)).toMatchObject({ scope: 'a', resource: zoo.url });
  });

  it('exchanges a token and takes an assertion', async () => {
    const { zoo, upstream } = await static_({ trust: (token) => Promise.resolve(token === 'good' ? 'ada' : Promise.reject(new Error('no'))) }, { audience: 'acme' });
    await area.tokens.exchange(upstream, { token: Secret.fromText('good'), type: 'urn:ietf:params:oauth:token-type:jwt' });
    await area.tokens.jwtBearer(upstream, Secret.fromText('good'));
    expect(Object.fromEntries(zoo.tokenRequests()[0]!)).toMatchObject({ subject_token: 'good', audience: 'acme', resource: zoo.url });
    await expect(area.tokens.jwtBearer(upstream, Secret.fromText('bad'))).rejects.toMatchObject({ name: 'TokenRefused', error: 'invalid_grant' });
  });

  it.each([
    ['invalid_grant', { name: 'TokenRefused', error: 'invalid_grant' }],
    ['invalid_request', { name: 'TokenRefused', error: 'invalid_request' }],
    ['invalid_client', { name: 'TokenRefused', error: 'invalid_client' }],
    ['error-500', { name: 'Refusal', code: 'upstream_unreachable' }],
    ['too-many', { name: 'Refusal', code: 'upstream_unreachable' }],
    ['html', { name: 'Refusal', code: 'upstream_invalid' }],
    ['cut', { name: 'Refusal' }],
    ['hang', { name: 'Refusal', code: 'upstream_timeout' }],
  ] as const)('answers a refresh with %s', async (refresh, expected) => {
    const { upstream } = await static_({ refresh }, refresh === 'hang' ? { timeoutMs: 1_000 } : {});
    const found = await area.servers.of(upstream);
    const client = await area.clients.current(upstream, found);
    await expect(area.tokens.refresh(upstream, client.id, { refreshToken: Secret.fromText('rt'), dpopKey: null }, null)).rejects.toMatchObject(expected);
  }, 15_000);

  it('is shown no refresh token of another issuer’s, nor for a client that was replaced', async () => {
    const { zoo, upstream } = await static_();
    const client = await area.clients.current(upstream, await area.servers.of(upstream));
    const replaced = stage.change(upstream, { oauth: { clientId: 'other' } });
    await expect(area.tokens.refresh(replaced, client.id, { refreshToken: Secret.fromText('rt'), dpopKey: null }, null)).rejects.toMatchObject({ error: 'invalid_client' });
    const other = await stage.server(known({}));
    const moved = stage.change(upstream, { oauth: { clientId: 'acme', issuer: other.zoo.issuer } });
    await expect(area.tokens.refresh(moved, client.id, { refreshToken: Secret.fromText('rt'), dpopKey: null }, null)).rejects.toMatchObject({ error: 'authorization_server_changed' });
    expect([zoo.refreshes(), other.zoo.refreshes()]).toEqual([0, 0]);
  });
});

describe('a server that is gone', () => {
  it('leaves no client and no secret', async () => {
    const { upstream } = await stage.connected();
    const before = stage.auth.neighbours.secrets.size;
    await area.forgotten.forget(upstream.id);
    await area.forgotten.forget(upstream.id);
    expect(stage.auth.neighbours.secrets.size).toBeLessThan(before);
    for (const table of ['upstream_clients', 'upstream_oauth', 'upstream_connections']) expect(await stage.auth.db.query(`SELECT 1 FROM ${table} WHERE server_id = $1`, [upstream.id])).toEqual([]);
  });
});
