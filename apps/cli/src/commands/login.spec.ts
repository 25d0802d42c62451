import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Answer, Arrived } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { startLoginWorld, type LoginWorld } from '../../test/login-world.js';

const NOW = 1_750_000_000_000;
const HOUR = 3_600_000;

let world: LoginWorld;
let folder: string;
let loginFile: string;

const RETIRED = 'at-of-a-retired-key';

function mcp({ body, headers }: Arrived): Answer {
  if (headers.authorization === `Bearer ${RETIRED}`) return { status: 401, body: {} };
  const rpc = body as { id?: number; method: string };
  const result = rpc.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'demo', version: '1' } } : { content: [{ type: 'text', text: headers.authorization }] };
  return rpc.id === undefined ? { status: 202 } : { body: { jsonrpc: '2.0', id: rpc.id, result } };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-login-'));
  loginFile = join(folder, 'gatehouse', 'login.json');
  world = await startLoginWorld({ 'POST /mcp/demo': mcp, 'GET /mcp/demo': { status: 405 }, 'DELETE /mcp/demo': { status: 200 } });
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A person whose browser brings back what the world makes of the address; what it was shown is in `pages`. */
function person(change?: Record<string, string | undefined>) {
  const pages: { url: string; status: number; text: string }[] = [];
  const browser = (url: string): void => {
    const callback = world.agree(url, change);
    void fetch(callback).then(async (shown) => pages.push({ url: callback, status: shown.status, text: await shown.text() }));
  };
  return { browser, pages };
}

function gatehouse(args: string[], given: Given = {}) {
  return invoke(args, { url: world.url, token: undefined, now: NOW, loginFile, ...given });
}

const stored = (): { logins: Record<string, { tokens: Record<string, { accessToken: string; refreshToken: string | null; expiresAt: number }> }> } => JSON.parse(readFileSync(loginFile, 'utf8'));
const tokens = (resource = '/api/v1') => stored().logins[world.url]!.tokens[`${world.url}${resource}`]!;

function storing(change: (file: ReturnType<typeof stored>) => void): void {
  const file = stored();
  change(file);
  writeFileSync(loginFile, JSON.stringify(file), { mode: 0o600 });
}

const signIn = () => gatehouse(['login'], { browser: person().browser });

describe('login', () => {
  it('asks for the admin API by code and PKCE, says who signed in, and keeps the tokens for itself', async () => {
    let asked = new URLSearchParams();
    const ada = person();
    const ran = await gatehouse(['login', '-o', 'table'], {
      browser: (url) => {
        asked = new URL(url).searchParams;
        ada.browser(url);
      },
    });
    expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/name +Ada\n/) });
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: 'gatehouse-cli',
      response_type: 'code',
      code_challenge_method: 'S256',
      scope: 'admin offline_access',
      resource: `${world.url}/api/v1`,
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(ada.pages[0]).toMatchObject({ status: 200, text: expect.stringContaining('You can close this window') });
    expect([statSync(loginFile).mode & 0o777, statSync(dirname(loginFile)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(tokens().expiresAt).toBe(NOW + HOUR);
    expect(ran.out + ran.err).not.toContain(tokens().accessToken);
    expect(ran.out + ran.err).not.toContain(tokens().refreshToken);
  });

  it('stops listening when it is done', async () => {
    const ada = person();
    await gatehouse(['login'], { browser: ada.browser });
    await expect(fetch(ada.pages[0]!.url)).rejects.toThrow();
  });

  it('prints the address where there is no browser, and takes the pasted callback', async () => {
    const lines = async function* (written: () => string) {
      for (let tries = 0; tries < 500 && !written().includes('paste'); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
      yield 'http://127.0.0.1:1/callback?code=x&state=y\n';
      yield `  ${world.agree(/^http.*authorize.*$/m.exec(written())![0])} `;
    };
    const ran = await gatehouse(['login', '--no-browser'], { lines, browser: () => expect('opened').toBe('not opened') });
    expect(ran.err).toContain('not the address that this sign-in ends at');
    expect(ran.code).toBe(0);
    expect(tokens().accessToken).toMatch(/^at-/);
  });

  it.each([
    ['another state, as any page could send', { state: 'guessed' }, 400],
    ['no state', { state: undefined }, 400],
  ])('does not take an answer with %s, and waits on', async (_, change, status) => {
    const [stranger, ada] = [person(change), person()];
    const browser = (url: string): void => {
      stranger.browser(url);
      setTimeout(() => ada.browser(url), 100);
    };
    expect((await gatehouse(['login'], { browser })).code).toBe(0);
    expect([stranger.pages[0]?.status, ada.pages[0]?.status]).toEqual([status, 200]);
  });

  it.each([
    ['from another issuer', { iss: 'https://evil.test' }, 'another authorization server'],
    ['from no issuer', { iss: undefined }, 'another authorization server'],
    ['of a refusal', { code: undefined, error: 'access_denied', error_description: 'the person said no' }, 'the sign-in was refused: the person said no [access_denied]'],
    ['without a code', { code: undefined }, 'holds no code'],
    ['with a code of somebody else', { code: 'stolen' }, 'invalid_grant'],
  ])('ends with an answer %s, exit 1, and keeps nothing', async (_, change, message) => {
    const ran = await gatehouse(['login'], { browser: person(change).browser });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(existsSync(loginFile)).toBe(false);
  });

  it('exits 3 when nobody signs in in time', async () => {
    const ran = await gatehouse(['login', '--timeout', '1s'], { browser: () => undefined });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('nobody signed in within 1 seconds') });
  });

  it('ends when it is interrupted', async () => {
    const interrupt = new AbortController();
    const ran = await gatehouse(['login'], { interrupted: interrupt.signal, browser: () => interrupt.abort() });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('interrupted') });
  });

  it.each([
    ['calls itself otherwise', { resource: 'https://gatehouse.test/api/v1' }, 'GATEHOUSE_URL=https://gatehouse.test gatehouse login'],
    ['sends people to another host to sign in', { authorizationServers: ['https://evil.test'] }, 'names no authorization server of its own'],
    ['has its tokens made elsewhere', { metadata: { token_endpoint: 'https://evil.test/token' } }, 'names endpoints on another host'],
    ['takes tokens back elsewhere', { metadata: { revocation_endpoint: 'https://evil.test/revoke' } }, 'names endpoints on another host'],
    ['has metadata of another issuer', { metadata: { issuer: 'https://evil.test' } }, 'its authorization server is another one'],
    ['knows no PKCE', { metadata: { code_challenge_methods_supported: ['plain'] } }, 'code challenge method'],
  ])('refuses a gateway that %s', async (_, misbehave, message) => {
    world.misbehave = misbehave;
    const ran = await gatehouse(['login'], { browser: person().browser });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(world.tokenRequests()).toEqual([]);
  });

  it('says what to do at a gateway without sign-in, or none at all', async () => {
    const ran = await gatehouse(['login', '--endpoint', 'other']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('nothing at /mcp/other') });
    expect(await gatehouse(['login'], { url: 'http://127.0.0.1:1' })).toMatchObject({ code: 1, err: expect.stringContaining('no answer from') });
  });

  it.each([
    [['--timeout', 'soon'], 'A duration from 1s to 60m'],
    [['--endpoint', 'http://evil.test'], 'is not the name of an endpoint'],
  ])('refuses %j as usage', async (args, message) => {
    expect(await gatehouse(['login', ...args])).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('the stored login', () => {
  it("goes before the local administrator's token, and GATEHOUSE_TOKEN before it", async () => {
    await signIn();
    const files = { '.gatehouse/admin.token': 'local' };
    await gatehouse(['whoami'], { files });
    expect(world.arrived.at(-1)?.headers.authorization).toBe(`Bearer ${tokens().accessToken}`);
    await gatehouse(['whoami'], { files, token: 'pat' });
    expect(world.arrived.at(-1)?.headers.authorization).toBe('Bearer pat');
  });

  it('is for the GATEHOUSE_URL it was made at, and no other', async () => {
    await signIn();
    const ran = await gatehouse(['whoami'], { url: world.url.replace('127.0.0.1', 'localhost') });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('next: gatehouse login') });
  });

  it('is renewed when it is about to expire', async () => {
    await signIn();
    const before = tokens();
    expect((await gatehouse(['whoami'], { now: NOW + HOUR - 10_000 })).code).toBe(0);
    expect(world.tokenRequests().at(-1)?.get('refresh_token')).toBe(before.refreshToken);
    expect(world.tokenRequests().at(-1)?.get('resource')).toBe(`${world.url}/api/v1`);
    expect([tokens().accessToken === before.accessToken, world.live.has(tokens().refreshToken ?? '')]).toEqual([false, true]);
  });

  it('is renewed once when the gateway refuses it early', async () => {
    await signIn();
    storing((file) => (file.logins[world.url]!.tokens[`${world.url}/api/v1`]!.accessToken = RETIRED));
    expect((await gatehouse(['whoami'])).code).toBe(0);
    expect(world.tokenRequests()).toHaveLength(2);
  });

  it('is renewed once by many processes at the same time', async () => {
    await signIn();
    const all = await Promise.all(Array.from({ length: 8 }, () => gatehouse(['whoami'], { now: NOW + HOUR - 10_000 })));
    expect(all.map(({ code }) => code)).toEqual(Array(8).fill(0));
    expect(world.tokenRequests().filter((form) => form.get('grant_type') === 'refresh_token')).toHaveLength(1);
  });

  it('takes over a lock that a dead process left', async () => {
    await signIn();
    writeFileSync(`${loginFile}.lock`, '');
    utimesSync(`${loginFile}.lock`, new Date(0), new Date(0));
    expect((await gatehouse(['whoami'], { now: NOW + HOUR })).code).toBe(0);
    expect(existsSync(`${loginFile}.lock`)).toBe(false);
  });

  it("that is over is said so, exit 3: nobody becomes the local administrator by it", async () => {
    await signIn();
    world.misbehave = { over: true };
    const ran = await gatehouse(['whoami'], { now: NOW + HOUR, files: { '.gatehouse/admin.token': 'local' } });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('the login is over') });
    expect(ran.err).toContain('next: gatehouse login');
  });

  it('that others can read is refused', async () => {
    await signIn();
    chmodSync(loginFile, 0o644);
    const ran = await gatehouse(['whoami']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('can be read by other users of this machine (mode 0644)') });
    expect((await gatehouse(['whoami'], { token: 'pat' })).err).not.toContain('can be read');
  });

  it('that is no file of logins is refused', async () => {
    mkdirSync(dirname(loginFile), { recursive: true });
    writeFileSync(loginFile, '{', { mode: 0o600 });
    expect(await gatehouse(['whoami'])).toMatchObject({ code: 1, err: expect.stringContaining('is not a file of logins') });
  });
});

describe('calling with a login', () => {
  it('asks for a token of that endpoint the first time, and keeps it beside the other', async () => {
    await signIn();
    const ran = await gatehouse(['call', 'demo', 'echo', '-o', 'table'], { interactive: true, browser: person().browser });
    expect(ran).toMatchObject({ code: 0, out: `Bearer ${tokens('/mcp/demo').accessToken}\n` });
    expect((await gatehouse(['call', 'demo', 'echo', '-o', 'table'])).out).toBe(ran.out);
    expect(tokens().accessToken).toMatch(/^at-/);
    expect(world.tokenRequests()).toHaveLength(2);
  });

  it('never asks where nobody is: exit 3, with the command that does', async () => {
    await signIn();
    const ran = await gatehouse(['call', 'demo', 'echo'], { browser: person().browser });
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('next: gatehouse login --endpoint demo') });
    expect((await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser })).code).toBe(0);
    expect((await gatehouse(['call', 'demo', 'echo'])).code).toBe(0);
  });

  it('never sends the token of the admin API to an endpoint', async () => {
    await signIn();
    await gatehouse(['call', 'demo', 'echo'], { interactive: true, browser: person().browser });
    const seen = world.arrived.filter(({ path }) => path === '/mcp/demo').map(({ headers }) => headers.authorization);
    expect(seen).not.toContain(`Bearer ${tokens().accessToken}`);
  });

  it('renews the token once when the endpoint refuses it early', async () => {
    await signIn();
    await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser });
    storing((file) => (file.logins[world.url]!.tokens[`${world.url}/mcp/demo`]!.accessToken = RETIRED));
    expect((await gatehouse(['call', 'demo', 'echo', '-o', 'table'])).out).toBe(`Bearer ${tokens('/mcp/demo').accessToken}\n`);
    expect(tokens('/mcp/demo').accessToken).not.toBe(RETIRED);
  });

  it('asks again when the login for the endpoint is over and somebody is there', async () => {
    await signIn();
    await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser });
    world.live.clear();
    const later = { now: NOW + HOUR };
    expect(await gatehouse(['call', 'demo', 'echo'], later)).toMatchObject({ code: 3, err: expect.stringContaining('gatehouse login --endpoint demo') });
    expect((await gatehouse(['call', 'demo', 'echo'], { ...later, interactive: true, browser: person().browser })).code).toBe(0);
  });

  it('keeps no token of somebody else than who is signed in', async () => {
    world.misbehave = { subject: 'ada' };
    await signIn();
    world.misbehave = { subject: 'bob' };
    const ran = await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('as somebody else than this login') });
    expect(Object.keys(stored().logins[world.url]!.tokens)).toEqual([`${world.url}/api/v1`]);
  });

  it('takes a personal access token as it is', async () => {
    await signIn();
    expect((await gatehouse(['call', 'demo', 'echo', '-o', 'table'], { token: 'pat' })).out).toBe('Bearer pat\n');
  });

  it('signing in again forgets the endpoints of who was signed in before', async () => {
    await signIn();
    await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser });
    await signIn();
    expect(Object.keys(stored().logins[world.url]!.tokens)).toEqual([`${world.url}/api/v1`]);
  });
});

describe('logout', () => {
  it('gives back every refresh token and forgets the login', async () => {
    await signIn();
    await gatehouse(['login', '--endpoint', 'demo'], { browser: person().browser });
    const held = [tokens().refreshToken, tokens('/mcp/demo').refreshToken];
    expect(await gatehouse(['logout', '-o', 'table'])).toMatchObject({ code: 0, out: expect.stringMatching(/signed out +yes/) });
    expect(world.revoked).toEqual(held);
    expect(stored().logins).toEqual({});
    expect((await gatehouse(['whoami'])).code).toBe(3);
  });

  it('forgets the login also when the gateway does not take it back, and says so', async () => {
    await signIn();
    world.misbehave = { keepsTokens: true };
    expect(await gatehouse(['logout'])).toMatchObject({ code: 1, err: expect.stringContaining('forgotten here, but could not be revoked') });
    expect(stored().logins).toEqual({});
  });

  it('is no failure when nobody was signed in', async () => {
    expect(await gatehouse(['logout', '-o', 'json'])).toMatchObject({ code: 0, out: expect.stringContaining('"signedOut": false') });
  });
});
