import { afterEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { sampleIdentityProvider, sampleTokenIssuer } from '../../test/samples.js';

const page = (...items: object[]) => ({ body: { items, nextCursor: null } });

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const last = () => world.arrived.at(-1);
const changes = () => world.arrived.filter(({ method }) => method !== 'GET');

describe('identity-provider', () => {
  const routes = {
    'GET /api/v1/identity-providers': page(sampleIdentityProvider()),
    'PUT /api/v1/identity-providers/okta': { body: sampleIdentityProvider() },
    'PUT /api/v1/identity-providers/new': { body: sampleIdentityProvider({ name: 'new' }) },
    'DELETE /api/v1/identity-providers/okta': { body: {} },
  };
  const REQUIRED = ['--issuer', 'https://idp.test', '--client-id', 'c1'];

  it('list shows where people sign in', async () => {
    expect((await gatehouse(routes, ['identity-provider', 'list', '-o', 'table'])).out).toMatch(/okta +Okta +https:\/\/okta\.test +0oa1 +invited +enabled +api/);
  });

  it('set makes one with the usual claims and scopes', async () => {
    await gatehouse(routes, ['identity-provider', 'set', 'new', ...REQUIRED]);
    expect(last()?.body).toEqual({
      displayName: 'new',
      issuer: 'https://idp.test',
      clientId: 'c1',
      scopes: ['openid', 'profile', 'email'],
      claims: { name: 'name', email: 'email', groups: 'groups' },
      provisioning: 'first-use',
      linkByEmail: true,
      administratorRule: null,
      identityAssertions: false,
      keepTokens: false,
      allowPrivateNetwork: false,
      enabled: true,
    });
  });

  it('set takes every setting', async () => {
    const args = ['--display-name', 'Company', '--scope', 'openid', '--scope', 'groups', '--groups-claim', 'realm.groups', '--administrator', 'groups=a=b', '--provisioning', 'invited', '--allow-private-network', '--no-link-by-email', '--identity-assertions', '--keep-tokens', '--no-enabled'];
    await gatehouse(routes, ['identity-provider', 'set', 'new', ...REQUIRED, ...args]);
    expect(last()?.body).toMatchObject({
      displayName: 'Company',
      scopes: ['openid', 'groups'],
      claims: { groups: 'realm.groups' },
      administratorRule: { claim: 'groups', value: 'a=b' },
      provisioning: 'invited',
      allowPrivateNetwork: true,
      linkByEmail: false,
      identityAssertions: true,
      keepTokens: true,
      enabled: false,
    });
  });

  it.each([
    ['a file', ['--client-secret-file', 'f'], { files: { f: 's1\n' } }, 's1'],
    ['standard input', ['--client-secret-file', '-'], { input: 's2\n' }, 's2'],
    ['a variable', ['--client-secret', 'env:S'], { variables: { S: 's3' } }, 's3'],
  ])('set takes the client secret from %s, and prints it nowhere', async (_, args, given, secret) => {
    const ran = await gatehouse(routes, ['identity-provider', 'set', 'new', ...REQUIRED, ...args, '-o', 'table'], given);
    expect(last()?.body).toMatchObject({ clientSecret: secret });
    expect(ran.out).toMatch(/client secret +stored/);
    expect(ran.out + ran.err).not.toContain(secret);
  });

  it('set changes one, keeping what is not named, its secret among it', async () => {
    await gatehouse(routes, ['identity-provider', 'set', 'okta', '--display-name', 'Company']);
    expect(last()?.body).toMatchObject({ displayName: 'Company', issuer: 'https://okta.test', clientId: '0oa1', provisioning: 'invited', claims: { groups: 'roles' } });
    expect(last()?.body).not.toHaveProperty('clientSecret');
    await invoke(['identity-provider', 'set', 'okta', '--no-administrator'], { url: world.url });
    expect(last()?.body).toMatchObject({ administratorRule: null });
  });

  it.each([
    ['a new one without an issuer', ['--client-id', 'c'], 'needs --issuer and --client-id'],
    ['a secret on the command line', [...REQUIRED, '--client-secret', 'abc'], '--client-secret takes env:VAR, file:PATH or -'],
    ['an empty secret', [...REQUIRED, '--client-secret-file', 'empty'], 'empty is empty or not set'],
    ['two secrets', [...REQUIRED, '--client-secret', 'env:S', '--client-secret-file', 'empty'], 'name one of them'],
    ['an administrator by no value', [...REQUIRED, '--administrator', 'groups'], 'CLAIM=VALUE'],
    ['an issuer that is no URL', ['--issuer', 'okta', '--client-id', 'c'], 'issuer: '],
    ['provisioning it does not know', [...REQUIRED, '--provisioning', 'all'], 'Allowed choices are'],
  ])('set refuses %s as usage', async (_, args, message) => {
    const ran = await gatehouse(routes, ['identity-provider', 'set', 'new', ...args], { files: { empty: '\n' } });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(ran.err).not.toContain('abc');
    expect(changes()).toEqual([]);
  });

  it('set says what to do about an address in a private network', async () => {
    const problem = refusal(422, 'url_refused', 'This address may not be reached from Gatehouse.', { reason: 'private_address' });
    const ran = await gatehouse({ ...routes, 'PUT /api/v1/identity-providers/new': problem }, ['identity-provider', 'set', 'new', ...REQUIRED]);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('--allow-private-network') });
  });

  it('rm removes it', async () => {
    expect((await gatehouse(routes, ['identity-provider', 'rm', 'okta'])).code).toBe(0);
  });

  it('test says step by step what works; exit 0 when all does, 4 when not', async () => {
    const ok = { ok: true, steps: [{ step: 'discovery', ok: true, detail: 'found' }] };
    const bad = { ok: false, steps: [...ok.steps, { step: 'keys', ok: false, detail: 'no keys there' }] };
    const path = 'POST /api/v1/identity-providers/test';
    const ran = await gatehouse({ ...routes, [path]: [{ body: ok }, { body: bad }] }, ['identity-provider', 'test', '--issuer', 'https://idp.test', '-o', 'table']);
    expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/discovery +yes +found/) });
    expect(last()?.body).toEqual({ issuer: 'https://idp.test', allowPrivateNetwork: false });
    const failed = await invoke(['identity-provider', 'test', 'okta', '-o', 'table'], { url: world.url });
    expect(failed).toMatchObject({ code: 4, out: expect.stringMatching(/keys +no +no keys there/), err: expect.stringContaining('cannot be used: no keys there') });
    expect(last()?.body).toEqual({ issuer: 'https://okta.test', allowPrivateNetwork: false });
  });

  it.each([
    [[], 2, 'name a provider, or give --issuer'],
    [['okta', '--issuer', 'https://idp.test'], 2, 'name a provider, or give --issuer'],
    [['none'], 1, 'there is no identity provider none [not_found]'],
  ])('test %j is refused', async (args, code, message) => {
    expect(await gatehouse(routes, ['identity-provider', 'test', ...args])).toMatchObject({ code, err: expect.stringContaining(message) });
  });
});

describe('token-issuer', () => {
  const routes = {
    'GET /api/v1/token-issuers': page(sampleTokenIssuer()),
    'PUT /api/v1/token-issuers/entra': { body: sampleTokenIssuer() },
    'PUT /api/v1/token-issuers/new': { body: sampleTokenIssuer({ name: 'new' }) },
    'DELETE /api/v1/token-issuers/entra': { body: {} },
  };

  it('list shows whose tokens are accepted', async () => {
    expect((await gatehouse(routes, ['token-issuer', 'list', '-o', 'table'])).out).toMatch(/entra +https:\/\/login\.test\/tenant +api:\/\/gatehouse +invited +2/);
  });

  it('set trusts one, and changes one keeping what is not named', async () => {
    await gatehouse(routes, ['token-issuer', 'set', 'new', '--issuer', 'https://i.test', '--email-claim', 'upn']);
    const claims = { name: 'name', email: 'upn', groups: 'groups' };
    expect(last()?.body).toEqual({ issuer: 'https://i.test', jwksUri: null, audience: null, claims, provisioning: 'invited', allowPrivateNetwork: false });
    await invoke(['token-issuer', 'set', 'entra', '--no-audience', '--provisioning', 'first-use'], { url: world.url });
    expect(last()?.body).toMatchObject({ issuer: 'https://login.test/tenant', jwksUri: 'https://login.test/keys', audience: null, provisioning: 'first-use' });
  });

  it('set needs the issuer of a new one', async () => {
    expect(await gatehouse(routes, ['token-issuer', 'set', 'new'])).toMatchObject({ code: 2, err: expect.stringContaining('it needs --issuer') });
  });

  it('rm stops trusting it', async () => {
    expect((await gatehouse(routes, ['token-issuer', 'rm', 'entra'])).code).toBe(0);
  });
});

describe('signing-key', () => {
  const keys = page({ id: 'k2', state: 'active', retiredAt: null }, { id: 'k1', state: 'retired', retiredAt: 1_750_000_000_000 });
  const routes = { 'GET /api/v1/signing-keys': keys, 'POST /api/v1/signing-keys/rotate': keys };

  it('list shows which signs', async () => {
    expect((await gatehouse(routes, ['signing-key', 'list', '-o', 'table'])).out).toMatch(/k2 +active +-\nk1 +retired +2025-06-15/);
  });

  it.each([
    [[], false],
    [['--retire-now'], true],
  ])('rotate %j asks for just that', async (args, retireNow) => {
    expect((await gatehouse(routes, ['signing-key', 'rotate', ...args])).code).toBe(0);
    expect(last()?.body).toEqual({ retireNow });
  });
});

describe('vault-key', () => {
  const ACTIVE = 'key_019a0000-0000-7000-8000-000000000000';
  const done = { left: 0, total: 0, moved: 0, failed: 0, startedAt: null, finishedAt: null };
  const shown = {
    keys: [{ what: 'credential', active: ACTIVE, version: 3, createdAt: 1_750_000_000_000, retired: 1 }],
    root: { id: 'kek-1', others: [], move: done },
    secrets: { ...done, left: 12 },
  };

  it('shows what is active and what is still to be moved', async () => {
    const { out } = await gatehouse({ 'GET /api/v1/vault-keys': { body: shown } }, ['vault-key', 'show', '-o', 'table']);
    expect(out).toMatch(/credential +key_019a\S+ +3 /);
    expect(out).toContain('key-encryption key kek-1: nothing needs an older one');
    expect(out).toContain('credential key: 12 secrets are still to be moved');
  });

  it('rotates what is active now, and nothing that somebody else just rotated', async () => {
    const routes = { 'GET /api/v1/vault-keys': { body: shown }, 'POST /api/v1/vault-keys/rotate': { body: { rotated: true, active: ACTIVE } } };
    expect((await gatehouse(routes, ['vault-key', 'rotate', 'credential', '-o', 'table'])).out).toContain(`credential: ${ACTIVE} is active now`);
    await world.close();
    const late = { ...routes, 'POST /api/v1/vault-keys/rotate': { body: { rotated: false, active: ACTIVE } } };
    expect((await gatehouse(late, ['vault-key', 'rotate', 'credential', '-o', 'table'])).out).toContain('somebody else');
  });
});
