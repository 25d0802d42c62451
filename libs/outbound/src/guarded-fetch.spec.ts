import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { guardedFetch } from './guarded-fetch.js';
import { Outbound } from './outbound.js';

let server: Server;
let origin: string;
let outbound: Outbound;
const seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];
const limits = { allowPrivateNetwork: true, maxBytes: 1_000, timeoutMs: 500 };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    if (request.url === '/hang') return;
    if (request.url === '/moved') return void response.writeHead(302, { location: '/elsewhere' }).end();
    if (request.url === '/large') return void response.end('x'.repeat(2_000));
    if (request.url === '/nothing') return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] }).end('{"ok":true}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  outbound = new Outbound();
});

afterAll(async () => {
  await outbound.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a guarded fetch', () => {
  it('answers with a real Response', async () => {
    const response = await guardedFetch(outbound, limits)(`${origin}/x?y=1`);
    expect(response).toBeInstanceOf(Response);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.json()).toEqual({ ok: true });
    expect((await guardedFetch(outbound, limits)(`${origin}/nothing`)).status).toBe(204);
  });

  it('posts forms and sends only the headers that the protocols need', async () => {
    const headers = { authorization: 'Basic eA==', cookie: 'a=b', 'x-other': '1', 'user-agent': 'g', accept: 'application/json' };
    await guardedFetch(outbound, limits)(new URL(`${origin}/token`), { method: 'post', headers, body: new URLSearchParams({ code: 'a b' }) });
    const { method, body, headers: sent } = seen.at(-1)!;
    expect({ method, body }).toEqual({ method: 'POST', body: 'code=a+b' });
    expect(sent).toMatchObject({ authorization: 'Basic eA==', 'user-agent': 'g', accept: 'application/json' });
    expect(sent['cookie'] ?? sent['x-other']).toBeUndefined();
  });

  it('follows no redirect', async () => {
    expect((await guardedFetch(outbound, limits)(`${origin}/moved`)).status).toBe(302);
    expect(seen.at(-1)?.url).toBe('/moved');
  });

  it('refuses what is too large, too slow, given up, private without the allowance, or no method of these protocols', async () => {
    const fetch = guardedFetch(outbound, limits);
    await expect(fetch(`${origin}/large`)).rejects.toMatchObject({ code: 'upstream_too_large' });
    await expect(fetch(`${origin}/hang`)).rejects.toMatchObject({ code: 'upstream_timeout' });
    await expect(fetch(`${origin}/hang`, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: 'upstream_unreachable' });
    await expect(fetch(origin, { method: 'DELETE' })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(guardedFetch(outbound, { ...limits, allowPrivateNetwork: false })(origin)).rejects.toMatchObject({ code: 'url_refused' });
  });
});
