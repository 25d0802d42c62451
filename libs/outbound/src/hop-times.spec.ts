import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { TestAuthority } from '@gatehouse/testing';
import type { Destination } from './destination.js';
import { HopTimes } from './hop-times.js';
import { Outbound } from './outbound.js';
import { SmallAnswerHandler, type SmallAnswer } from './small-answer.js';
import type { HeardAnswer, StampedRequest } from './stamp.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const answer: RequestListener = (_request, response) => void setTimeout(() => response.end('12345'), 20);

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

function outbound(): Outbound {
  const resolve = async () => (await new Promise((done) => setTimeout(done, 10)), [{ address: '127.0.0.1', family: 4 }]);
  const made = new Outbound({ resolve, maxConnectionsPerOrigin: 1 });
  open.push(() => made.close());
  return made;
}

function ask(destination: Destination, hops?: HopTimes): Promise<SmallAnswer> {
  const handler = new SmallAnswerHandler({ maxBytes: 100, timeoutMs: 5_000 });
  const body = Buffer.from('123');
  destination.dispatch({ method: 'POST', headers: {}, body, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, hops }, handler);
  return handler.answer;
}

const isListening = (): boolean => channel('undici:client:sendHeaders').hasSubscribers;

describe('the times of a request', () => {
  it('tell of name, connection, TLS, first byte and end over a new connection, and that the next one was reused', async () => {
    const authority = new TestAuthority();
    const port = await listening(createServer(authority.issue({ names: ['mcp.example'] }), answer));
    const destination = outbound().destination(`https://mcp.example:${port}/`, { allowPrivateNetwork: true, caCertificate: authority.certificate });
    const [first, second] = [new HopTimes(), new HopTimes()];
    expect((await ask(destination, first)).status).toBe(200);
    await ask(destination, second);
    expect(first).toMatchObject({ connection: 'new', connect: expect.any(Number), tls: expect.any(Number), status: 200, bytesUp: 3, bytesDown: 5 });
    expect(first.dns).toBeGreaterThan(5);
    expect(first.firstByte).toBeGreaterThan(first.dns! + first.connect! + first.tls!);
    expect(first.end).toBeGreaterThanOrEqual(first.firstByte!);
    expect(second).toMatchObject({ connection: 'reused', dns: undefined, connect: undefined, tls: undefined, status: 200 });
    expect(second.firstByte).toBeGreaterThan(15);
  });

  it('have no name and no TLS where there are none', async () => {
    const port = await listening(createPlainServer(answer));
    const hops = new HopTimes();
    await ask(outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true }), hops);
    expect(hops).toMatchObject({ connection: 'new', dns: undefined, connect: expect.any(Number), tls: undefined });
  });

  it('are those of each request alone, however many are under way', async () => {
    const port = await listening(createPlainServer(answer));
    const destination = outbound().destination(`http://mcp.example:${port}/`, { allowPrivateNetwork: true });
    const watched = Array.from({ length: 6 }, () => new HopTimes());
    await Promise.all([ask(destination), ...watched.map((hops) => ask(destination, hops)), ask(destination)]);
    // One connection: the first request, which nobody watches, has it made.
    expect(watched.every(({ connection, end, bytesDown }) => connection !== 'none' && end !== undefined && bytesDown === 5)).toBe(true);
    const ends = watched.map(({ end }) => end!);
    expect(ends).toEqual([...ends].sort((one, other) => one - other));
  });

  it('cost nothing when nobody asks for them, and nothing is left behind by who did', async () => {
    const port = await listening(createPlainServer(answer));
    const destination = outbound().destination(`http://mcp.example:${port}/`, { allowPrivateNetwork: true });
    const unwatched = ask(destination);
    expect(isListening()).toBe(false);
    await unwatched;
    const watched = ask(destination, new HopTimes());
    expect(isListening()).toBe(true);
    await watched;
    expect(isListening()).toBe(false);
  });

  it('end with a request that fails', async () => {
    const hops = new HopTimes();
    const gone = createPlainServer(answer);
    const port = await listening(gone);
    gone.close();
    await expect(ask(outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true }), hops)).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(hops).toMatchObject({ connection: 'none', status: undefined, end: expect.any(Number) });
    expect(isListening()).toBe(false);
  });
});

describe('a stamp', () => {
  const seen: (string | undefined)[] = [];
  const mirror: RequestListener = (request, response) => (seen.push(request.headers['x-stamp'] as string | undefined), void response.end());
  const stamp = { header: 'x-stamp', value: ({ body }: StampedRequest) => `of ${body?.length ?? 'nothing'}` };

  it('is on every request, made over the bytes sent, unless the request brings one', async () => {
    const port = await listening(createPlainServer(mirror));
    const plain = outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true });
    const limits = { maxBytes: 100, timeoutMs: 5_000 };
    await plain.stamped(stamp).fetchSmall({ method: 'POST', headers: {}, body: Buffer.from('12'), ...limits });
    await plain.stamped(stamp).fetchSmall({ method: 'GET', headers: {}, ...limits });
    await plain.stamped(stamp).fetchSmall({ method: 'GET', headers: { 'x-stamp': 'own' }, ...limits });
    await plain.fetchSmall({ method: 'GET', headers: {}, ...limits });
    expect(seen.splice(0)).toEqual(['of 2', 'of nothing', 'own', undefined]);
  });

  it('that was refused is made once more with the request, and not a third time', async () => {
    const picky: RequestListener = (request, response) => (seen.push(request.headers['x-stamp'] as string), void response.writeHead(request.headers['x-stamp'] === 'good' ? 200 : 401, { 'x-wants': 'good' }).end('no'.repeat(100)));
    const port = await listening(createPlainServer(picky));
    let value = 'first';
    const learning = (learnt: string) => ({ header: 'x-stamp', value: () => value, heard: ({ status }: HeardAnswer) => ((value = learnt), status === 401) });
    const plain = outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true });
    const request = { method: 'POST', headers: {}, body: Buffer.from('12'), maxBytes: 1_000, timeoutMs: 5_000 } as const;
    expect((await plain.stamped(learning('good')).fetchSmall(request)).status).toBe(200);
    value = 'first';
    expect((await plain.stamped(learning('bad')).fetchSmall(request)).status).toBe(401);
    expect(seen.splice(0).slice(-4)).toEqual(['first', 'good', 'first', 'bad']);
  });

  it('that cannot be made keeps the request from being sent', async () => {
    const port = await listening(createPlainServer(mirror));
    const none = { header: 'x-stamp', value: () => { throw new Refusal('vault_unavailable'); } };
    const destination = outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true }).stamped(none);
    await expect(ask(destination)).rejects.toMatchObject({ code: 'vault_unavailable' });
    await expect(destination.fetchSmall({ method: 'GET', headers: {}, maxBytes: 1, timeoutMs: 50 })).rejects.toMatchObject({ code: 'vault_unavailable' });
    expect(seen).toEqual([]);
  });
});
