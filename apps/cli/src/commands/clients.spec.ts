import { afterEach, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { sampleClient, sampleGrant, samplePerson } from '../../test/samples.js';

const DOCUMENT = 'https://client.example.com/oauth/client.json';
const ENCODED = encodeURIComponent(DOCUMENT);
const page = (...items: object[]) => ({ body: { items, nextCursor: null } });
const SETTINGS = {
  dynamic: 'token',
  metadataDocuments: 'on',
  unusedDays: 30,
  redirectSchemes: ['cursor'],
  privateHosts: [],
  rules: [{ kind: 'any', host: '*.example.com', name: null, effect: 'review', requireDpop: true }],
};

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const last = () => world.arrived.at(-1);

describe('client', () => {
  it('list shows who waits to be let in', async () => {
    expect((await gatehouse({ 'GET /api/v1/clients': page(sampleClient()) }, ['client', 'list', '-o', 'table'])).out).toMatch(/Editor +metadata-document +client\.example\.com +waiting/);
  });

  it('shows escape sequences of a name that a client gave itself instead of obeying them', async () => {
    const ran = await gatehouse({ 'GET /api/v1/clients': page(sampleClient({ name: 'Good\u001b[2J' })) }, ['client', 'list', '-o', 'table']);
    expect(ran.out).toContain('Good\\u001b[2J');
  });

  it.each([
    ['allow', 'allowed'],
    ['deny', 'denied'],
  ])('%s takes the address of a document as an id', async (act, status) => {
    const ran = await gatehouse({ [`POST /api/v1/clients/${ENCODED}/${act}`]: { body: sampleClient({ status }) } }, ['client', act, DOCUMENT, '-o', 'table']);
    expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`status +${status}`)) });
  });

  it('rm removes it', async () => {
    await gatehouse({ [`DELETE /api/v1/clients/${ENCODED}`]: { body: {} } }, ['client', 'rm', DOCUMENT]);
    expect(last()).toMatchObject({ method: 'DELETE', path: `/api/v1/clients/${ENCODED}` });
  });

  it('add registers a confidential client and shows its secret once', async () => {
    const routes = { 'POST /api/v1/clients': { status: 201, body: sampleClient({ id: 'c1', kind: 'registered', secret: 's3cret' }) } };
    const args = ['--redirect-uri', 'https://a.test/cb', '--auth-method', 'client_secret_basic', '--grant', 'token-exchange', '--require-par'];
    const ran = await gatehouse(routes, ['client', 'add', 'Portal', ...args], { terminal: true });
    expect(ran).toMatchObject({ out: expect.stringMatching(/secret +s3cret/), err: expect.stringContaining('not shown again') });
    expect(last()?.body).toEqual({
      name: 'Portal',
      redirectUris: ['https://a.test/cb'],
      authMethod: 'client_secret_basic',
      jwks: null,
      specialGrants: ['urn:ietf:params:oauth:grant-type:token-exchange'],
      requireDpop: false,
      requirePar: true,
    });
  });

  it('add takes public keys, and is public without anything', async () => {
    const routes = { 'POST /api/v1/clients': { status: 201, body: sampleClient({ secret: null }) } };
    const ran = await gatehouse(routes, ['client', 'add', 'Job', '--jwks-file', 'k'], { files: { k: '{"kty":"EC","x":"x"}' }, terminal: true });
    expect(ran.out + ran.err).not.toContain('secret');
    expect(last()?.body).toMatchObject({ authMethod: 'private_key_jwt', jwks: { keys: [{ kty: 'EC', x: 'x' }] } });
    await invoke(['client', 'add', 'Tool'], { url: world.url });
    expect(last()?.body).toMatchObject({ authMethod: 'none', jwks: null, redirectUris: [] });
  });
});

describe('client registration', () => {
  const routes = { 'GET /api/v1/client-registration': { body: SETTINGS }, 'PUT /api/v1/client-registration': { body: SETTINGS } };

  it.each(['yaml', 'json', 'table'])('apply takes what show prints as %s', async (format) => {
    const { out } = await gatehouse(routes, ['client', 'registration', 'show', '-o', format]);
    const ran = await invoke(['client', 'registration', 'apply', '-f', 's'], { url: world.url, files: { s: out } });
    expect(ran.code).toBe(0);
    expect(last()).toMatchObject({ method: 'PUT', body: SETTINGS });
  });

  it.each([
    ['no file', [], '', 'which file?'],
    ['text that is no YAML', ['-f', '-'], 'rules: [', '-: '],
    ['a value that is no settings', ['-f', '-'], 'on', 'holds no settings'],
    ['a rule that cannot be', ['-f', '-'], JSON.stringify({ ...SETTINGS, rules: [{ ...SETTINGS.rules[0], effect: 'maybe' }] }), 'rules.0.effect: '],
    ['a setting by another name', ['-f', '-'], JSON.stringify({ ...SETTINGS, dynamo: 'on' }), 'dynamo'],
  ])('apply refuses %s as usage', async (_, args, input, message) => {
    const ran = await gatehouse(routes, ['client', 'registration', 'apply', ...args], { input });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(world.arrived).toEqual([]);
  });
});

describe('grant', () => {
  const routes = {
    'GET /api/v1/grants': page(sampleGrant(), sampleGrant({ id: 'grant2', callerId: 'per_01990000-0000-7000-8000-000000000009', callerName: 'Bob' })),
    'GET /api/v1/people': page(samplePerson()),
    'GET /api/v1/service-accounts': page(),
    'POST /api/v1/grants/grant1/revoke': { body: {} },
  };

  it('list shows whose they are and what for, all of them or of one caller', async () => {
    expect((await gatehouse(routes, ['grant', 'list', '-o', 'table'])).out).toMatch(/grant1 +Ada +Editor +https:\/\/gatehouse\.test\/mcp\/demo/);
    const ran = await invoke(['grant', 'list', '--caller', 'ada@example.com', '-o', 'json'], { url: world.url });
    expect((JSON.parse(ran.out) as { id: string }[]).map(({ id }) => id)).toEqual(['grant1']);
  });

  it('revoke ends one', async () => {
    expect(await gatehouse(routes, ['grant', 'revoke', 'grant1', '-o', 'table'])).toMatchObject({ code: 0, out: 'revoked  grant1\n' });
  });
});
