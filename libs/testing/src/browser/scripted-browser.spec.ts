import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../tls/test-authority.js';
import { ScriptedBrowser } from './scripted-browser.js';

const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];

const FORM = '<form method="post" action="/posted"><input name="a"><button>Send</button></form>';

const ANSWERS: Record<string, [number, Record<string, string | string[]>, string?]> = {
  '/page': [200, { 'content-type': 'text/html', 'set-cookie': ['s=1; Path=/', '__Host-t=2; Path=/; Secure'] }, FORM],
  '/shy': [200, { 'content-type': 'text/html', 'referrer-policy': 'no-referrer' }, FORM],
  '/strict': [200, { 'content-type': 'text/html', 'content-security-policy': "form-action 'self'" }, FORM.replace('/posted', '/away')],
  '/posted': [303, { location: '/done#end' }],
  '/keep': [307, { location: '/done' }],
  '/done': [200, { 'content-type': 'text/plain' }, 'done'],
  '/loop': [302, { location: '/loop' }],
  '/away': [302, { location: 'http://127.0.0.1:1/callback?code=c' }],
  '/app': [302, { location: 'cursor://anysphere/callback?code=c' }],
};

const answer: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    if (request.url === '/never') return;
    const [status, headers, text] = ANSWERS[request.url ?? ''] ?? [404, {}];
    response.writeHead(status, headers).end(text);
  });
};

const listening = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('the scripted browser', () => {
  const authority = new TestAuthority();
  const plain = createHttp(answer);
  const secure = createHttps(authority.issue({ names: ['gate.example'] }), answer);
  let http = '';
  let tls = '';

  beforeAll(async () => {
    http = `http://${await listening(plain)}`;
    tls = `https://${await listening(secure)}`;
  });
  beforeEach(() => void seen.splice(0));
  afterAll(() => {
    for (const server of [plain, secure]) {
      server.close();
      server.closeAllConnections();
    }
  });

  it('submits a form with cookies and origin, and follows the redirect as a GET', async () => {
    const browser = new ScriptedBrowser();
    const page = await browser.get(`${http}/page`);
    const done = await browser.submit(page.forms[0], { a: 'x y' }, 'Send');
    expect([done.status, done.text, done.url]).toEqual([200, 'done', `${http}/done#end`]);
    expect(done.hops.map(({ method, status }) => [method, status])).toEqual([['POST', 303], ['GET', 200]]);
    expect(seen[0]?.headers).toMatchObject({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' });
    expect(seen[1]?.headers).toMatchObject({ origin: http, cookie: 's=1', 'sec-fetch-site': 'same-origin', referer: `${http}/page` });
    expect(seen[1]?.body).toBe('a=x+y');
    expect(seen[2]?.headers.origin).toBeUndefined();
  });

  it('says "Origin: null" from a page without referrer, as browsers do', async () => {
    const browser = new ScriptedBrowser();
    await browser.submit((await browser.get(`${http}/shy`)).forms[0], { a: '1' });
    expect(seen[1]?.headers).toMatchObject({ origin: 'null', 'sec-fetch-site': 'same-origin' });
    expect(seen[1]?.headers.referer).toBeUndefined();
  });

  it('shows a forged post for what it is', async () => {
    const browser = new ScriptedBrowser();
    await browser.get(`${http}/page`);
    await browser.post(`${http}/keep`, { a: '1' }, { from: 'http://evil.example/trap' });
    expect(seen[1]?.headers).toMatchObject({ origin: 'http://evil.example', cookie: 's=1', 'sec-fetch-site': 'cross-site' });
    expect(seen[2]).toMatchObject({ method: 'POST', body: 'a=1' });
    await browser.post(`${http}/done`, {});
    expect(seen[3]?.headers.origin).toBeUndefined();
  });

  it('stops at a redirect to the given prefix and at one to an app, without asking there', async () => {
    const browser = new ScriptedBrowser({ stopAt: ['http://127.0.0.1:1/callback'] });
    expect(await browser.get(`${http}/away`)).toMatchObject({ stopped: true, status: 302, url: 'http://127.0.0.1:1/callback?code=c' });
    expect(await browser.get(`${http}/app`)).toMatchObject({ stopped: true, url: 'cursor://anysphere/callback?code=c' });
  });

  it('does not let a form lead where the policy of its page forbids', async () => {
    const browser = new ScriptedBrowser({ stopAt: ['http://127.0.0.1:1/callback'] });
    const page = await browser.get(`${http}/strict`);
    await expect(browser.submit(page.forms[0])).rejects.toThrow("form-action 'self'");
  });

  it('reaches a named https host at its stand-in, and keeps its secure cookies', async () => {
    const resolve = (origin: string): string | undefined => (origin === 'https://gate.example' ? tls : undefined);
    const browser = new ScriptedBrowser({ ca: authority.certificate, resolve });
    await browser.submit((await browser.get('https://gate.example/page')).forms[0], {});
    expect(seen[1]?.headers).toMatchObject({ host: 'gate.example', origin: 'https://gate.example', cookie: 's=1; __Host-t=2' });
    await expect(new ScriptedBrowser({ resolve }).get('https://gate.example/page')).rejects.toThrow(/certificate/);
  });

  it('gives up on endless redirects, on silence and on what is not on the page', async () => {
    const browser = new ScriptedBrowser({ timeoutMs: 200 });
    await expect(browser.get(`${http}/loop`)).rejects.toThrow('too many redirects');
    await expect(browser.get(`${http}/never`)).rejects.toThrow(/abort/i);
    const page = await browser.get(`${http}/done`);
    expect(() => browser.submit(page.forms[0])).toThrow(/no such form on .*done \(200\): done/);
  });
});
