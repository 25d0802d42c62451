import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { Outbound, type Destination } from '@gatehouse/outbound';
import { startRawUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { eventually } from '../edge-stage.conformance.js';
import { Exchange, mediaType, type Answer } from './exchange.js';

const WHOLE_BYTES = 1_000;

describe('Exchange', () => {
  const outbound = new Outbound();
  let upstream: Upstream;
  let destination: Destination;
  let script: RawHandler;

  beforeAll(async () => {
    upstream = await startRawUpstream((exchange) => script(exchange));
    destination = outbound.destination(upstream.url, { allowPrivateNetwork: true });
  });

  afterEach(() => upstream.forget());

  afterAll(async () => {
    await outbound.close();
    await upstream.close();
  });

  const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}');
  const started = (mayStream = true): Exchange => {
    const exchange = new Exchange(WHOLE_BYTES, mayStream);
    destination.dispatch({ method: 'POST', headers: { 'content-type': 'application/json' }, body, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000 }, exchange);
    return exchange;
  };
  const answering = (type: string, text: string, status = 200): RawHandler => ({ response }) => void response.writeHead(status, { 'content-type': type }).end(text);
  const rest = async (answer: Answer): Promise<string> => {
    if (answer.kind === 'whole') return answer.body.toString();
    const pieces: Buffer[] = [];
    for (let piece = await answer.body.next(); piece !== undefined; piece = await answer.body.next()) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  it.each([
    ['whole up to its limit', WHOLE_BYTES, 'whole'],
    ['as it comes beyond', WHOLE_BYTES + 1, 'json'],
  ])('hands a JSON answer on %s', async (_how, size, kind) => {
    script = answering('application/json', 'x'.repeat(size));
    const answer = await started().answer;
    expect([answer.kind, answer.status, (await rest(answer)).length]).toEqual([kind, 200, size]);
  });

  it('refuses a long answer that must be held whole, and hangs up', async () => {
    script = ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => void (response.destroyed || (response.write('x'.repeat(65_536)), setImmediate(more)));
      more();
    };
    await expect(started(false).answer).rejects.toMatchObject({ code: 'upstream_too_large' });
    await eventually(() => upstream.aborted() === 1);
  });

  it('refuses a long answer to anything but success', async () => {
    script = answering('application/json', 'x'.repeat(WHOLE_BYTES + 1), 400);
    await expect(started().answer).rejects.toMatchObject({ code: 'upstream_too_large' });
  });

  it('hands an event stream on from its head', async () => {
    script = ({ response }) => void response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(': first\n\n');
    const answer = await started().answer;
    expect(answer.kind).toBe('events');
    if (answer.kind !== 'events') return;
    expect(String(await answer.body.next())).toBe(': first\n\n');
    answer.body.abort(new Refusal('unauthenticated'));
    await expect(answer.body.next()).rejects.toMatchObject({ code: 'unauthenticated' });
    await eventually(() => upstream.aborted() === 1);
  });

  it('takes an event stream that failed for an answer like any other', async () => {
    script = answering('text/event-stream', 'data: x\n\n', 500);
    expect(await started().answer).toMatchObject({ kind: 'whole', status: 500 });
  });

  it('ends when nothing comes in time', async () => {
    script = () => undefined;
    const exchange = started();
    exchange.expectHeadWithin(100);
    await expect(exchange.answer).rejects.toMatchObject({ code: 'upstream_timeout' });
    await eventually(() => upstream.aborted() === 1);
  });

  it('does not end what began in time', async () => {
    script = ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":');
      setTimeout(() => response.end('1}'), 150);
    };
    const exchange = started();
    exchange.expectHeadWithin(100);
    expect(await rest(await exchange.answer)).toBe('{"a":1}');
  });

  it('can be ended while it waits for the answer, and before it began', async () => {
    script = () => undefined;
    const waiting = started();
    await eventually(() => upstream.hits() === 1);
    waiting.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' }));
    await expect(waiting.answer).rejects.toMatchObject({ details: { reason: 'cancelled' } });
    await eventually(() => upstream.aborted() === 1);
    const never = new Exchange(WHOLE_BYTES, true);
    never.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' }));
    await expect(never.answer).rejects.toMatchObject({ details: { reason: 'cancelled' } });
  });

  it('tells that nobody is there', async () => {
    const gone = await startRawUpstream(() => undefined);
    await gone.close();
    const exchange = new Exchange(WHOLE_BYTES, true);
    const nowhere = outbound.destination(gone.url, { allowPrivateNetwork: true });
    nowhere.dispatch({ method: 'POST', headers: {}, body, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 }, exchange);
    await expect(exchange.answer).rejects.toMatchObject({ code: 'upstream_unreachable', details: { reason: 'refused' } });
  });
});

describe('mediaType', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    [' text/event-stream ;x', 'text/event-stream'],
    ['application/json-seq', 'application/json-seq'],
    [undefined, ''],
  ])('of %p is %p', (given, type) => {
    expect(mediaType(given === undefined ? {} : { 'content-type': given })).toBe(type);
  });
});
