import type { ScriptedBrowser } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage } from '../../auth-stage.conformance.js';
import { Connecting } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let browser: ScriptedBrowser;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  browser = await stage.signedInBrowser(await stage.person('Ada'), ['http://127.0.0.1:3341', 'http://127.0.0.1:50001', 'http://127.0.0.2', 'http://127.0.0.1.evil', 'http://localhost', 'https://', 'http://[', 'http://evil', 'http://client']);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const WEB = 'https://client.example/cb';
const NATIVE = 'http://127.0.0.1:33418/callback';

describe('where a code may be sent', () => {
  it.each([
    'https://client.example/cb/more', 'https://client.example/cb?added=1', 'https://client.example/cb/', 'https://client.example/', 'https://client.example/CB',
    'https://client.example/../cb', 'https://client.example/x/../cb', 'https://client.example/%63b', 'https://client.example//cb', 'https://client.example/cb;x',
    'https://user@client.example/cb', 'https://client.example@evil.test/cb', 'https://client.example.evil.test/cb', 'https://evil.test/cb?u=https://client.example/cb',
    'https://client.example:443/cb', 'https://client.example:8443/cb', 'https://client.example./cb', 'https://CLIENT.example/cb', 'https://сlient.example/cb',
    'http://client.example/cb', '//client.example/cb', 'https:client.example/cb', 'https://client.example/cb#f', 'https://client.example\\@evil.test/cb',
    'https://client.example/cb\u0000', ' https://client.example/cb', 'javascript:alert(1)', 'data:text/html,x', NATIVE, '',
  ])('not %j, for a client that registered one address', async (uri) => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    const page = await browser.get(client.authorizeUrl({ redirect_uri: uri }));
    expect([page.status, page.stopped, page.headers['content-type']]).toEqual([400, false, 'text/html; charset=utf-8']);
    expect(page.hops.every(({ url }) => url.startsWith(stage.origin))).toBe(true);
  });

  it.each(['http://127.0.0.1:33419/other', 'http://127.0.0.2:33418/callback', 'http://localhost:33418/callback', 'http://[::1]:33418/callback', 'https://127.0.0.1:33418/callback', 'http://127.0.0.1:33418/callback?x=1', 'http://127.0.0.1.evil.test:33418/callback', 'http://evil.test:33418/callback'])(
    'not %s, for a client on this computer',
    async (uri) => {
      const page = await browser.get((await desk.registered({ redirect_uris: [NATIVE] })).authorizeUrl({ redirect_uri: uri }));
      expect([page.status, page.stopped]).toEqual([400, false]);
    },
  );

  it('another port of this computer is the same program, for a client there', async () => {
    const client = await desk.registered({ redirect_uris: [NATIVE] });
    const moved = desk.client({ ...client.options, redirectUri: 'http://127.0.0.1:50001/callback' });
    const page = await browser.get(moved.authorizeUrl());
    expect([page.status, page.text.includes('Connect a client')]).toEqual([200, true]);
  });

  it('must be said, and said once, also when only one is registered', async () => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    for (const redirect_uri of [undefined, [WEB, WEB], [WEB, 'https://evil.test/cb']]) {
      const page = await browser.get(client.authorizeUrl({ redirect_uri }));
      expect([page.status, page.stopped]).toEqual([400, false]);
    }
  });

  it('nowhere, for a client that nobody knows, whatever it asks for', async () => {
    const page = await browser.get(desk.client({ clientId: 'dcr_unknown', redirectUri: WEB }).authorizeUrl());
    expect([page.status, page.stopped, page.text.includes('does not know this client')]).toEqual([400, false, true]);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('says who it is from, also when it says no (RFC 9207)', async () => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    const page = await browser.get(client.authorizeUrl({ response_type: 'token' }));
    expect(new URL(page.url).searchParams.get('iss') ?? new URL(page.url.replace('#', '?')).searchParams.get('iss')).toBe(stage.origin);
  });
});

describe('addresses that no client may register', () => {
  it.each([
    'javascript:alert(1)', 'data:text/html,hi', 'vbscript:x', 'file:///etc/passwd', 'blob:https://x.test/1', 'about:blank', 'ftp://client.example/cb', 'ws://client.example/cb',
    'http://client.example/cb', 'http://10.0.0.1/cb', 'http://127.0.0.1.evil.test/cb', 'https://user@client.example/cb', 'https://user:pw@client.example/cb', 'https://client.example/*', 'https://*.example/cb',
    'https://client.example/cb#', 'https://client.example/cb#x', 'https://client.example\\evil', 'https://client.example/a b', 'https://client.example/\ncb', 'not a url', '/relative', '', 'unknown-app://callback',
    `https://client.example/${'a'.repeat(512)}`,
  ])('%j', async (uri) => {
    expect(await desk.post({ redirect_uris: [uri] })).toMatchObject({ status: 400, json: { error: 'invalid_redirect_uri' } });
  });

  it('nor eleven of them, none, nor what is no list', async () => {
    expect((await desk.post({ redirect_uris: Array.from({ length: 11 }, (_none, at) => `https://client.example/${at}`) })).status).toBe(400);
    expect((await desk.post({ redirect_uris: [] })).status).toBe(400);
    expect((await desk.post({ redirect_uris: 'https://client.example/cb' })).status).toBe(400);
    expect((await desk.post({ redirect_uris: [7] })).status).toBe(400);
    expect((await desk.post({ redirect_uris: [WEB, 'javascript:alert(1)'] })).status).toBe(400);
  });
});
