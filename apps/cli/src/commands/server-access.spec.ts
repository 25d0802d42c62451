import { afterEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { foundServer, sampleIdentity } from '../../test/identity-samples.js';
import { invoke, type Given } from '../../test/invoke.js';
import { healthyServer, sampleServer } from '../../test/samples.js';

const SERVERS = '/api/v1/servers';
const URL = 'https://api.github.test/mcp';
const CONNECTION = 'x'.repeat(22);

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const sent = (method: string): any => world.arrived.filter((each) => each.method === method).at(-1)?.body;
const found = (server = foundServer('sign_in')): Routes => ({
  [`POST ${SERVERS}`]: { status: 201, body: sampleServer({ name: 'github' }) },
  [`GET ${SERVERS}/github`]: { body: server },
});
const connecting: Routes = {
  'POST /api/v1/identities/connect': { status: 201, body: { id: CONNECTION, url: 'https://gatehouse.test/connect/t1', expiresAt: 9 } },
  [`GET /api/v1/identities/connect/${CONNECTION}`]: { body: { id: CONNECTION, state: 'connected', identityId: sampleIdentity().id, problem: null } },
};

describe('server add', () => {
  it('narrates each hop and says that an account can be connected', async () => {
    const ran = await gatehouse(found(), ['server', 'add', URL, '-o', 'table']);
    expect(ran.out).toContain('✓ asked the server: The server answered 401 and asks for an account. (https://api.github.test/mcp)\n– resource metadata: It names none.\n✓ authorization server: Its metadata is at https://github.test.\n');
    expect(ran.out).toMatch(/health +waiting: It waits for an account\./);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('next: gatehouse connect github\n') });
    expect(world.arrived.some(({ path }) => path.includes('connect'))).toBe(false);
  });

  it('lets whoever sits there connect the account at once, in a browser or at the address it prints', async () => {
    const opened: string[] = [];
    const browser = (url: string): void => void opened.push(url);
    const ran = await gatehouse({ ...found(), ...connecting }, ['server', 'add', URL], { interactive: true, browser });
    expect([ran.code, opened, sent('POST')]).toEqual([0, ['https://gatehouse.test/connect/t1'], { server: 'github', visibility: 'private' }]);
    expect(ran.err).toContain('The account is connected');
    const quiet = await invoke(['server', 'add', URL, '--no-browser'], { url: world.url, interactive: true, browser });
    expect([quiet.code, opened.length, quiet.err.includes('Connect the account at:\nhttps://gatehouse.test/connect/t1')]).toEqual([0, 1, true]);
  });

  it('sends nobody to connect what the first call makes by itself', async () => {
    const ran = await gatehouse(found(foundServer('sign_in', { oauth: { grant: 'client_credentials' }, identityMode: 'global' })), ['server', 'add', URL], { interactive: true });
    expect([ran.code, ran.err.includes('gatehouse connect'), ran.err.includes('nobody has to connect an account')]).toEqual([0, false, true]);
  });

  it('connects the shared account where calls carry that', async () => {
    const ran = await gatehouse({ ...found(foundServer('sign_in', { identityMode: 'global' })), ...connecting }, ['server', 'add', URL, '--identity-mode', 'global'], { interactive: true });
    expect([ran.code, sent('POST').visibility]).toEqual([0, 'global']);
  });

  it('says what to enter at the provider where a client is to be registered by hand', async () => {
    const ran = await gatehouse(found(foundServer('client')), ['server', 'add', URL]);
    expect(ran.err).toContain(`make a client at the provider with this callback address: ${world.url}/oauth/callback`);
    expect(ran.err).toContain('gatehouse server set github --oauth-client-id ID --oauth-client-secret-file FILE');
    await world.close();
    const told = await gatehouse(found(foundServer('client', {}, 'Register a client. Callback address: https://public.test/oauth/callback')), ['server', 'add', URL]);
    expect(told.err).toContain('https://public.test/oauth/callback');
    expect(told.err).not.toContain(`${world.url}/oauth/callback`);
  });

  it('says how to give a token where one is wanted', async () => {
    const ran = await gatehouse(found(foundServer('header')), ['server', 'add', URL]);
    expect(ran.err).toContain('next: a token of your own: gatehouse connect github\n      one for everybody: gatehouse connect github --global\n');
    await world.close();
    const named = await gatehouse(found(foundServer('header', { secretHeaders: ['X-Key'], identityMode: 'private-required' })), ['server', 'add', URL, '--secret-header', 'X-Key', '--identity-mode', 'private-required']);
    expect([named.err.includes('gatehouse connect github\n'), named.err.includes('--global'), sent('POST').auth]).toEqual([true, false, { kind: 'headers', headers: [{ name: 'X-Key', secret: true }] }]);
  });

  it('takes every setting of OAuth, its secret from a file', async () => {
    const options = [
      ...['--oauth-client-id', 'ours', '--oauth-client-secret-file', 's', '--oauth-issuer', 'https://i.test', '--oauth-authorize-url', 'https://i.test/a', '--oauth-token-url', 'https://i.test/t'],
      ...['--oauth-scopes', 'read,write', '--oauth-scope-param-name', 'user_scope', '--oauth-resource', 'omit', '--oauth-authorize-param', 'access_type=offline', '--oauth-authorize-param', 'prompt=a=b'],
      ...['--oauth-token-param', 'tenant=t', '--oauth-issuer-alias', 'https://alias.test', '--oauth-assume-pkce', '--oauth-timeout', '20s', '--oauth-grant', 'authorization_code'],
      ...['--sign-calls', '--forward-header', 'X-Request-Id', '--transport', 'sse'],
    ];
    const ran = await gatehouse(found(), ['server', 'add', URL, ...options], { files: { s: 'canary-client-secret\n' } });
    expect(sent('POST')).toMatchObject({
      transport: 'sse',
      signCalls: true,
      forwardHeaders: ['X-Request-Id'],
      auth: {
        ...{ kind: 'oauth', clientId: 'ours', clientSecret: 'canary-client-secret', issuer: 'https://i.test', authorizeUrl: 'https://i.test/a', tokenUrl: 'https://i.test/t', scopes: ['read', 'write'] },
        ...{ scopeParam: 'user_scope', resource: 'omit', authorizeParams: { access_type: 'offline', prompt: 'a=b' }, tokenParams: { tenant: 't' }, issuerAlias: 'https://alias.test', assumePkce: true, timeoutMs: 20_000 },
      },
    });
    expect(ran.out + ran.err).not.toContain('canary');
  });

  it('looks once more where the first look was without the credential', async () => {
    const waiting = sampleServer({ name: 'github', health: { ...sampleServer().health, status: 'failing', failure: 'unauthenticated', checkedAt: 5 } });
    const routes = { [`POST ${SERVERS}`]: { status: 201, body: waiting }, [`GET ${SERVERS}/github`]: [{ body: waiting }, { body: waiting }, { body: healthyServer({ name: 'github', tools: 0 }) }] };
    const ran = await gatehouse(routes, ['server', 'add', URL, '--bearer', '-', '-o', 'table'], { input: 'token' });
    expect([ran.code, ran.out.includes('healthy'), ran.err]).toEqual([0, true, '']);
  });
});

describe('server probe', () => {
  it('shows the same narration, and is no failure while an account is waited for', async () => {
    const routes = { [`POST ${SERVERS}/github/probe`]: { body: sampleServer() }, [`GET ${SERVERS}/github`]: [{ body: sampleServer() }, { body: foundServer('sign_in') }] };
    const ran = await gatehouse(routes, ['server', 'probe', 'github', '-o', 'table']);
    expect([ran.code, ran.out.includes('✓ asked the server'), ran.err]).toEqual([0, true, 'next: gatehouse connect github\n']);
  });
});

describe('server set', () => {
  const held = foundServer('client', { auth: 'oauth', oauth: { scopes: ['repo'] }, revision: 4 });
  const after = foundServer('sign_in', { revision: 5 });
  const looked = { ...after, health: { ...after.health, checkedAt: 8 } };
  const routes: Routes = { [`GET ${SERVERS}/github`]: [{ body: held }, { body: looked }], [`PATCH ${SERVERS}/github`]: { body: after } };

  it('changes what is named of the revision it saw, keeps other settings of OAuth, and says what is next', async () => {
    const ran = await gatehouse({ ...routes }, ['server', 'set', 'github', '--oauth-client-id', 'ours', '--oauth-client-secret-file', '-'], { input: 's1\n' });
    expect(sent('PATCH')).toEqual({ auth: { kind: 'oauth', scopes: ['repo'], clientId: 'ours', clientSecret: 's1' } });
    expect(world.arrived.find(({ method }) => method === 'PATCH')?.headers['if-match']).toBe('"4"');
    expect([ran.code, ran.err.includes('next: gatehouse connect github')]).toEqual([0, true]);
  });

  it('looks once more with a credential that was given', async () => {
    const failing = { ...held, health: { ...held.health, status: 'failing' as const, failure: 'unauthenticated' as const, checkedAt: 8 } };
    const good = healthyServer({ name: 'github', tools: 0, health: { ...healthyServer().health, checkedAt: 9 } });
    const ran = await gatehouse({ [`GET ${SERVERS}/github`]: [{ body: held }, { body: failing }, { body: good }], [`PATCH ${SERVERS}/github`]: { body: after } }, ['server', 'set', 'github', '--bearer', '-', '-o', 'table'], { input: 't' });
    expect([ran.code, ran.out.includes('healthy'), ran.err]).toEqual([0, true, '']);
  });

  it('takes away what --no- names, and waits for no look where none is needed', async () => {
    const same = { [`GET ${SERVERS}/github`]: { body: held }, [`PATCH ${SERVERS}/github`]: { body: held } };
    await gatehouse(same, ['server', 'set', 'github', '--no-header', '--no-forward-header', '--no-ca-file', '--no-sign-calls', '--no-stateless', '--no-allow-private-network', '--identity-mode', 'auto']);
    expect(sent('PATCH')).toEqual({ headers: [], forwardHeaders: [], caCertificate: null, signCalls: false, stateless: false, allowPrivateNetwork: false, identityMode: null });
    expect(world.arrived.map(({ method }) => method)).toEqual(['GET', 'PATCH']);
  });

  it('asks what is to change, and says when somebody else changed it', async () => {
    expect(await gatehouse({ [`GET ${SERVERS}/github`]: { body: held } }, ['server', 'set', 'github'])).toMatchObject({ code: 2, err: expect.stringContaining('what is to change?') });
    await world.close();
    const refused = { [`GET ${SERVERS}/github`]: { body: held }, [`PATCH ${SERVERS}/github`]: refusal(412, 'precondition_failed', 'It was changed meanwhile.') };
    expect(await gatehouse(refused, ['server', 'set', 'github', '--sign-calls'])).toMatchObject({ code: 1, err: expect.stringContaining('look at it, then try again') });
  });
});

describe('server debug', () => {
  it.each([
    [[], { minutes: 15 }],
    [['--minutes', '5'], { minutes: 5 }],
    [['--off'], { minutes: 0 }],
  ])('%j asks for just that', async (args, body) => {
    const until = args[0] === '--off' ? null : 1_750_000_100_000;
    const ran = await gatehouse({ [`POST ${SERVERS}/demo/debug`]: { body: sampleServer({ debugUntil: until }) } }, ['server', 'debug', 'demo', ...args, '-o', 'table']);
    expect([ran.code, sent('POST')]).toEqual([0, body]);
    expect(ran.out).toMatch(until === null ? /debug +off/ : /debug +until 2025-06-15T15:08:20Z/);
  });
});
