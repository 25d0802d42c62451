import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Refusal } from '@gatehouse/kernel';
import { Outbound, type OutboundOptions } from './outbound.js';
import type { SmallAnswer } from './small-answer.js';

const SMALL = { method: 'POST', headers: { 'content-type': 'application/json' }, maxBytes: 1_000, timeoutMs: 5_000 } as const;
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function outboundWith(options: OutboundOptions = {}): Outbound {
  const outbound = new Outbound(options);
  open.push(() => outbound.close());
  return outbound;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener): Promise<number> => listening(createServer(listener));

function fetchPrivate(outbound: Outbound, url: string): Promise<SmallAnswer> {
  return outbound.destination(url, { allowPrivateNetwork: true }).fetchSmall(SMALL);
}

async function refusal(attempt: Promise<unknown>): Promise<Pick<Refusal, 'code' | 'details'>> {
  const error = await attempt.then(() => Promise.reject(new Error('it was allowed')), (caught: Refusal) => caught);
  return { code: error.code, details: error.details };
}

describe('what a URL may look like', () => {
  const reasons: [string, boolean, string][] = [
    ['http://mcp.example/', false, 'scheme'],
    ['ftp://mcp.example/', true, 'scheme'],
    ['file:///etc/passwd', true, 'scheme'],
    ['https://user:pw@mcp.example/', false, 'userinfo'],
    ['https://user@mcp.example/', false, 'userinfo'],
    ['https://mcp.example/#x', false, 'fragment'],
    ['https://mcp.example/#', false, 'fragment'],
    ['https://mcp.example:0/', false, 'port'],
    ['https://', false, 'not_a_url'],
    ['https://[fe80::1%25eth0]/', false, 'not_a_url'],
    [`https://mcp.example/${'a'.repeat(2_048)}`, false, 'too_long'],
    ['http://93.184.216.34/', true, 'http_needs_private_network'],
    ['https://10.0.0.1/', false, 'private_address'],
  ];
  it.each(reasons)('refuses %s (private allowed: %s) as %s', async (url, allowPrivateNetwork, reason) => {
    const attempt = Promise.resolve().then(() => outboundWith().destination(url, { allowPrivateNetwork }));
    expect(await refusal(attempt)).toEqual({ code: 'url_refused', details: { reason } });
  });

  it('accepts a public https URL with port, path and query', () => {
    const destination = outboundWith().destination('https://mcp.example:8443/a/b?c=d', { allowPrivateNetwork: false });
    expect([destination.origin, destination.url]).toEqual(['https://mcp.example:8443', 'https://mcp.example:8443/a/b?c=d']);
  });
});

describe('what a name may lead to', () => {
  it('checks again at every connection, so a rebinding name reaches nothing', async () => {
    let hits = 0;
    const port = await serve((_request, response) => {
      hits += 1;
      response.setHeader('connection', 'close').end('ok');
    });
    const answers = ['127.0.0.1', '169.254.169.254'];
    const outbound = outboundWith({ resolve: async () => [{ address: answers.shift() ?? '8.8.8.8', family: 4 }] });
    const destination = outbound.destination(`http://rebind.example:${port}/`, { allowPrivateNetwork: true });
    expect((await destination.fetchSmall(SMALL)).body.toString()).toBe('ok');
    expect(await refusal(destination.fetchSmall(SMALL))).toEqual({ code: 'url_refused', details: { reason: 'metadata_address' } });
    expect(await refusal(destination.fetchSmall(SMALL))).toEqual({ code: 'url_refused', details: { reason: 'http_needs_private_network' } });
    expect(hits).toBe(1);
  });

  it('dials what was checked, never a second answer of the resolver', async () => {
    let resolved = 0;
    const port = await serve((_request, response) => response.end('pinned'));
    const resolve = async (): Promise<{ address: string; family: number }[]> => {
      resolved += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const answer = await fetchPrivate(outboundWith({ resolve }), `http://pinned.example:${port}/`);
    expect([answer.body.toString(), resolved]).toEqual(['pinned', 1]);
  });

  it('never reaches the own ports, by literal or by name, even with the allowance', async () => {
    let hits = 0;
    const port = await serve((_request, response) => response.end(String((hits += 1))));
    const outbound = outboundWith({ forbiddenPorts: [port], resolve: async () => [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }] });
    const expected = { code: 'url_refused', details: { reason: 'own_port' } };
    const literal = Promise.resolve().then(() => fetchPrivate(outbound, `http://127.0.0.1:${port}/`));
    expect(await refusal(literal)).toEqual(expected);
    expect(await refusal(fetchPrivate(outbound, `http://me.example:${port}/`))).toEqual(expected);
    expect(hits).toBe(0);
  });

  it('learns own ports that were filled in after a destination was made', async () => {
    const port = await serve((_request, response) => response.setHeader('connection', 'close').end('ok'));
    const ownPorts: number[] = [];
    const destination = outboundWith({ forbiddenPorts: ownPorts }).destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true });
    ownPorts.push(port);
    expect((await refusal(destination.fetchSmall(SMALL))).details).toEqual({ reason: 'own_port' });
  });

  it('does not share a connection between the allowed and the not allowed', async () => {
    const port = await serve((_request, response) => response.end('ok'));
    const outbound = outboundWith({ resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
    const url = `https://both.example:${port}/`;
    await fetchPrivate(outbound, url).catch(() => undefined);
    const strict = outbound.destination(url, { allowPrivateNetwork: false });
    expect((await refusal(strict.fetchSmall(SMALL))).details).toEqual({ reason: 'private_address' });
  });
});

describe('what is sent', () => {
  it('sets Host and Accept-Encoding itself, and hands a redirect back unfollowed', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      seen.push([request.url, request.headers.host, request.headers['accept-encoding'], request.headers['x-api-key']]);
      response.writeHead(307, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    });
    const destination = outboundWith().destination(`http://127.0.0.1:${port}/mcp?a=b`, { allowPrivateNetwork: true });
    const answer = await destination.fetchSmall({ ...SMALL, headers: { Host: 'evil.example', 'Accept-Encoding': 'gzip', 'x-api-key': 'k' }, body: Buffer.from('{}') });
    expect(answer.status).toBe(307);
    expect(seen).toEqual([['/mcp?a=b', `127.0.0.1:${port}`, 'identity', 'k']]);
  });

  it('refuses a header value that would break the request apart', async () => {
    const port = await serve((_request, response) => response.end());
    const destination = outboundWith().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true });
    expect((await refusal(destination.fetchSmall({ ...SMALL, headers: { 'x-api-key': 'a\r\nhost: b' } }))).code).toBe('header_refused');
  });
});

describe('what may come back', () => {
  async function answerOf(listener: RequestListener, changes: Partial<{ maxBytes: number; timeoutMs: number; signal: AbortSignal }> = {}): Promise<SmallAnswer> {
    const port = await serve(listener);
    return outboundWith().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true }).fetchSmall({ ...SMALL, ...changes });
  }

  it('refuses an encoded body without decoding it', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const attempt = answerOf((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    expect(await refusal(attempt)).toEqual({ code: 'upstream_invalid', details: { reason: 'encoded' } });
  });

  it('refuses more bytes than asked for, announced or not', async () => {
    const big = Buffer.alloc(2_000, 'a');
    expect((await refusal(answerOf((_request, response) => response.end(big)))).code).toBe('upstream_too_large');
    const unannounced: RequestListener = (_request, response) => {
      response.write(big.subarray(0, 900));
      setTimeout(() => response.end(big), 10);
    };
    expect((await refusal(answerOf(unannounced))).code).toBe('upstream_too_large');
  });

  it('gives up on silence within the total time', async () => {
    const started = Date.now();
    expect((await refusal(answerOf(() => undefined, { timeoutMs: 150 }))).code).toBe('upstream_timeout');
    expect(Date.now() - started).toBeLessThan(1_500);
  });

  it('stops when its caller does', async () => {
    const attempt = answerOf(() => undefined, { signal: AbortSignal.timeout(50) });
    expect(await refusal(attempt)).toEqual({ code: 'upstream_unreachable', details: { reason: 'aborted' } });
  });

  it('refuses floods of headers and of informational answers', async () => {
    const many: RequestListener = (_request, response) => {
      for (let n = 0; n < 200; n += 1) response.setHeader(`x-${n}`, '1');
      response.end();
    };
    const huge: RequestListener = (_request, response) => response.setHeader('x-a', 'a'.repeat(20_000)).end();
    const early: RequestListener = (_request, response) => {
      for (let n = 0; n < 50; n += 1) response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end();
    };
    expect((await refusal(answerOf(many))).details).toEqual({ reason: 'headers' });
    expect((await refusal(answerOf(huge))).details).toEqual({ reason: 'headers' });
    expect((await refusal(answerOf(early))).details).toEqual({ reason: 'informational' });
  });

  it('skips a few early hints before the answer', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('after');
    });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'after']);
  });
});

describe('how a failure is named', () => {
  it('says refused and dns, without an address', async () => {
    const port = await serve(() => undefined);
    await open.pop()?.();
    expect(await refusal(fetchPrivate(outboundWith(), `http://127.0.0.1:${port}/`))).toEqual({ code: 'upstream_unreachable', details: { reason: 'refused' } });
    const outbound = outboundWith({ resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
    expect((await refusal(fetchPrivate(outbound, 'https://nobody.example/'))).details).toEqual({ reason: 'dns' });
    const empty = outboundWith({ resolve: async () => [] });
    expect((await refusal(fetchPrivate(empty, 'https://nobody.example/'))).details).toEqual({ reason: 'dns' });
  });

  it('says timeout when the resolver hangs', async () => {
    const outbound = outboundWith({ resolve: () => new Promise(() => undefined), connectTimeoutMs: 200 });
    expect((await refusal(fetchPrivate(outbound, 'https://slow.example/'))).code).toMatch(/upstream_(unreachable|timeout)/);
  });

  it('says closed after close', async () => {
    const outbound = outboundWith();
    await outbound.close();
    expect((await refusal(fetchPrivate(outbound, 'http://127.0.0.1:1/'))).details).toEqual({ reason: 'closed' });
  });
});
