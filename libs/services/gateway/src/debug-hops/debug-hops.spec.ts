import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerHonestly, startJsonUpstream, startRawUpstream, type Upstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { hopsText } from './hops-text.js';

const SECRET = 'upstream-secret-9f8e7d6c';
const ARGUMENT = 'an-argument-of-ada';

describe('a server that is being debugged', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: Upstream;
  let streaming: Upstream;
  let ada: string;
  let adaId: string;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startJsonUpstream();
    streaming = await startRawUpstream(({ rpc, response }) => {
      if (rpc.method !== 'tools/call') return answerHonestly(rpc, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n');
      setTimeout(() => response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { content: [] } })}\n\n`), 50);
    });
    adaId = neighbours.addCaller('Ada Lovelace');
    ada = neighbours.addToken('Ada Lovelace', { callerId: adaId });
    const debugUntil = Date.now() + 600_000;
    neighbours.addServer('watched', upstream.url, [['authorization', `Bearer ${SECRET}`]]).debugUntil = debugUntil;
    neighbours.addServer('streaming', streaming.url).debugUntil = debugUntil;
    neighbours.addServer('over', upstream.url).debugUntil = Date.now() - 1;
    neighbours.addServer('gone', 'http://127.0.0.1:9/mcp').debugUntil = debugUntil;
    neighbours.setPolicy('permit (principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
    await streaming.close();
  });

  beforeEach(() => void stage.logLines.splice(0));

  const lines = (): any[] => stage.logLines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'call hops');

  it('has a line for each of its calls: the steps, the request to it, status and sizes', async () => {
    const session = await stage.session('watched', ada);
    const before = await stage.recordsSoFar();
    const answer = await stage.call('watched', ada, session, 'get_issue', 1, { id: ARGUMENT });
    const [record] = await stage.recordsAfter(before);
    const [opened, called] = lines();
    expect(opened).toMatchObject({ method: 'initialize', hops: { connection: 'new', connect: expect.any(Number), firstByte: expect.any(Number), end: expect.any(Number) } });
    expect(called).toMatchObject({
      ...{ level: 'info', callId: record!.callId, callerId: adaId, serverId: neighbours.servers[0]!.id, method: 'tools/call' },
      ...{ status: 'ok', httpStatus: 200, upstreamStatus: 200, bytesOut: Buffer.byteLength(answer.text), steps: { forward: expect.any(Number), total: expect.any(Number) } },
      hops: { connection: 'reused', firstByte: expect.any(Number), end: expect.any(Number), bytesUp: upstream.calls('tools/call').at(-1)!.body.length, bytesDown: expect.any(Number) },
    });
    expect([called.hops.dns, called.hops.connect, called.hops.tls]).toEqual([undefined, undefined, undefined]);
    expect(record!.outcome!.hops).toEqual(called.hops);
  });

  it('says nothing of headers, arguments, answers or names', async () => {
    const session = await stage.session('watched', ada);
    await stage.call('watched', ada, session, 'get_issue', 1, { id: ARGUMENT });
    const text = stage.logLines.join('\n');
    expect(lines().length).toBeGreaterThan(1);
    for (const word of [SECRET, ARGUMENT, ada, session, 'Ada', 'Lovelace', 'Bearer', 'authorization', 'jsonrpc']) expect(text).not.toContain(word);
  });

  it('shows a stream’s first byte and its end', async () => {
    const session = await stage.session('streaming', ada);
    await stage.call('streaming', ada, session, 'slowly');
    const [, { hops }] = lines();
    expect(hops.end - hops.firstByte).toBeGreaterThan(30);
    expect(hops.bytesDown).toBeGreaterThan(40);
  });

  it('shows calls that got nowhere, as such', async () => {
    const before = await stage.recordsSoFar();
    const unreachable = await stage.post('gone', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
    const unknown = await stage.call('watched', ada, 'no-session', 'get_issue');
    await stage.recordsAfter(before, 2);
    expect([unreachable.status, unknown.status]).toEqual([502, 404]);
    expect(lines().map(({ code, hops }) => [code, hops.connection, hops.firstByte])).toEqual([['upstream_unreachable', 'none', undefined], ['unknown_session', 'none', undefined]]);
    expect([lines()[0].hops.end, lines()[1].hops.end]).toEqual([expect.any(Number), undefined]);
  });

  it('is debugged no longer than was asked for: then there is no line, and nothing in the record', async () => {
    const before = await stage.recordsSoFar();
    await stage.session('over', ada);
    const [record] = await stage.recordsAfter(before);
    expect([lines(), record!.outcome!.hops]).toEqual([[], undefined]);
  });

  it('is debugged from the moment that the edge hears of it', async () => {
    neighbours.servers.find(({ name }) => name === 'over')!.debugUntil = Date.now() + 600_000;
    neighbours.policyVersion += 1;
    await stage.changed();
    await stage.session('over', ada);
    await eventually(() => lines().length === 1);
  });
});

describe('hops in one line', () => {
  it('are short, in the order in which they come', () => {
    expect(hopsText({ connection: 'new', bytesUp: 12, bytesDown: 340, dns: 1.234, connect: 0.04, tls: 12.06, firstByte: 99.96, end: 1234.5 })).toBe(
      'new connection, dns 1.2 ms, connect 0 ms, tls 12.1 ms, first byte 100 ms, end 1235 ms, 12 B up, 340 B down',
    );
    expect(hopsText({ connection: 'reused', bytesUp: 12, bytesDown: 0, firstByte: 5, end: 5 })).toBe('connection reused, first byte 5 ms, end 5 ms, 12 B up, 0 B down');
    expect(hopsText({ connection: 'none', bytesUp: 0, bytesDown: 0 })).toBe('not sent');
  });
});
