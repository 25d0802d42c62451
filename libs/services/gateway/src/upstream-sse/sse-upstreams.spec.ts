import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { startHttpSseUpstream, type HttpSseUpstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { openStream, type ReadStream } from '../read-stream.conformance.js';

const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

describe('an HTTP+SSE server behind an edge', () => {
  const neighbours = new Neighbours();
  const ephemeral = memoryEphemeral();
  const reading: ReadStream[] = [];
  let upstream: HttpSseUpstream;
  let stage: EdgeStage;
  let other: EdgeStage;
  let ada: string;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startHttpSseUpstream({ requiredHeader: { name: 'x-api-key', value: 'the-key-of-old' } });
    ada = neighbours.addToken('ada');
    neighbours.addServer('old', upstream.url, [['X-Api-Key', 'the-key-of-old']]).transport = 'sse';
    neighbours.setPolicy('permit (principal, action, resource); forbid (principal, action, resource == Gatehouse::Tool::"old/log");');
    [stage, other] = await Promise.all([EdgeStage.start(neighbours, {}, ephemeral), EdgeStage.start(neighbours, {}, ephemeral)]);
    await Promise.all([stage.ready(), other.ready()]);
  }, 20_000);

  beforeEach(() => upstream.forget());

  afterEach(async () => {
    reading.splice(0).forEach((stream) => stream.close());
    upstream.cut();
    await eventually(() => upstream.connections() === 0);
  });

  afterAll(async () => {
    await Promise.all([stage.close(), other.close()]);
    await neighbours.close();
    await upstream.close();
  });

  const opened = async (capabilities: object = {}): Promise<string> => {
    const id = await stage.session('old', ada, capabilities);
    await stage.post('old', ada, INITIALIZED, { 'mcp-session-id': id });
    return id;
  };
  const listening = async (session: string): Promise<ReadStream> => {
    const stream = await openStream(stage.gateway.port, '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': session });
    reading.push(stream);
    return stream;
  };

  it('is spoken to as any other: a session, lists filtered by policy, calls, each on record', async () => {
    const before = await stage.recordsSoFar();
    const id = await opened();
    const list = await stage.post('old', ada, { jsonrpc: '2.0', id: 'l', method: 'tools/list' }, { 'mcp-session-id': id });
    const call = await stage.call('old', ada, id, 'echo', 7, { text: 'hello' });
    expect(list.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(['echo', 'wait', 'ask', 'count']);
    expect([call.status, call.headers['content-type'], call.json.id, call.json.result.content[0].text]).toEqual([200, 'application/json', 7, 'hello']);
    const records = await stage.recordsAfter(before, 4);
    expect(records.map(({ facts, outcome }) => [facts.method, outcome?.status])).toEqual([['initialize', 'ok'], ['notifications/initialized', 'ok'], ['tools/list', 'ok'], ['tools/call', 'ok']]);
    expect(records[3]?.outcome?.resultDigest).not.toBeNull();
    expect(upstream.connections()).toBe(1);
  });

  it('gets the credential with every request, and nothing of our session', async () => {
    const id = await opened();
    await stage.call('old', ada, id, 'echo', 1, { text: 'x' });
    expect(upstream.requests().map(({ method, headers }) => [method, headers['x-api-key'], headers['mcp-session-id'], headers.authorization])).toEqual([
      ['GET', 'the-key-of-old', undefined, undefined],
      ...Array.from({ length: 3 }, () => ['POST', 'the-key-of-old', undefined, undefined]),
    ]);
  });

  it('answers calls at once, each with its own, in whatever order', async () => {
    const id = await opened();
    const ended: string[] = [];
    const wait = async (ms: number) => {
      const answer = await stage.call('old', ada, id, 'wait', ms, { ms });
      ended.push(answer.json.result.content[0].text);
    };
    await Promise.all([wait(400), wait(10)]);
    expect(ended).toEqual(['waited 10', 'waited 400']);
  });

  it('tells of progress in the answer that it belongs to', async () => {
    const id = await opened();
    const params = { name: 'count', arguments: { to: 3 }, _meta: { progressToken: 'p' } };
    const answer = await stage.post('old', ada, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, { 'mcp-session-id': id });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect([...answer.text.matchAll(/"progress":(\d)/g)].map(([, at]) => at)).toEqual(['1', '2', '3']);
    expect(answer.json.result.content[0].text).toBe('counted to 3');
  });

  it('tells the client what it says on its own, when the client listens', async () => {
    const id = await opened();
    const stream = await listening(id);
    await upstream.notify('notifications/tools/list_changed');
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('is heard by a client that listens later', async () => {
    const id = await opened();
    await upstream.notify('notifications/tools/list_changed');
    await stage.call('old', ada, id, 'wait', 1, { ms: 50 });
    await upstream.notify('notifications/prompts/list_changed');
    await stage.post('old', ada, { jsonrpc: '2.0', id: 'p', method: 'ping' }, { 'mcp-session-id': id });
    const stream = await listening(id);
    expect(await stream.next()).toMatchObject({ method: expect.stringContaining('list_changed') });
  });

  it.each([true, false])('asks the client, which answers (listening: %s)', async (listens) => {
    const id = await opened({ sampling: {} });
    const stream = listens ? await listening(id) : undefined;
    const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'ask', arguments: {} } });
    const asking = await openStream(stage.gateway.port, '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': id }, body, listens);
    reading.push(asking);
    const question = await (stream ?? asking).next();
    expect(question).toMatchObject({ method: 'sampling/createMessage' });
    const result = { model: 'm', role: 'assistant', content: { type: 'text', text: 'well' } };
    const told = await stage.post('old', ada, { jsonrpc: '2.0', id: question.id, result }, { 'mcp-session-id': id });
    expect(told.status).toBe(202);
    expect(JSON.stringify(await asking.next())).toContain('well');
  });

  it('hears the answer of its client from another edge, though that edge has a connection of its own', async () => {
    const id = await opened({ sampling: {} });
    await other.call('old', ada, id, 'echo', 1, { text: 'x' });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'ask', arguments: {} } });
    const asking = await openStream(stage.gateway.port, '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': id }, body);
    reading.push(asking);
    const question = await asking.next();
    const result = { model: 'm', role: 'assistant', content: { type: 'text', text: 'from afar' } };
    expect((await other.post('old', ada, { jsonrpc: '2.0', id: question.id, result }, { 'mcp-session-id': id })).status).toBe(202);
    expect(JSON.stringify(await asking.next())).toContain('from afar');
    const again = await other.post('old', ada, { jsonrpc: '2.0', id: question.id, result }, { 'mcp-session-id': id });
    expect([again.status, again.json.error.code]).toEqual([400, -32600]);
  });

  it('is told no for a client that cannot be asked', async () => {
    const id = await opened();
    const answer = await stage.call('old', ada, id, 'ask', 3);
    expect(answer.json.result.isError).toBe(true);
  });

  it('is unreachable for calls in flight when it dies, and there again for the next', async () => {
    const id = await opened();
    const calling = stage.call('old', ada, id, 'wait', 1, { ms: 5_000 });
    await eventually(() => upstream.calls('tools/call').length === 1);
    upstream.cut();
    const answer = await calling;
    expect([answer.status, answer.json.error.code]).toEqual([502, 1060]);
    const next = await stage.call('old', ada, id, 'echo', 2, { text: 'again' });
    expect(next.json.result.content[0].text).toBe('again');
    expect(upstream.calls('initialize').map(({ json }) => (json as { params: object }).params)).toEqual([
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stage', version: '1' } },
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stage', version: '1' } },
    ]);
  });

  it('is asked for a new session when it has forgotten the old one', async () => {
    const id = await opened();
    upstream.forgetSessions();
    const lost = await stage.call('old', ada, id, 'echo', 1, { text: 'x' });
    expect([lost.status, lost.json.error.code]).toEqual([502, 1060]);
    expect((await stage.call('old', ada, id, 'echo', 2, { text: 'x' })).status).toBe(200);
  });

  it('has one new connection for many calls that need one', async () => {
    const id = await opened();
    upstream.cut();
    await eventually(() => upstream.connections() === 0);
    const answers = await Promise.all([1, 2, 3, 4].map((n) => stage.call('old', ada, id, 'echo', n, { text: String(n) })));
    expect(answers.map(({ json }) => json.result.content[0].text)).toEqual(['1', '2', '3', '4']);
    expect(upstream.connections()).toBe(1);
  });

  it('is not told twice that a session is initialized, nor before it is', async () => {
    const id = await opened();
    upstream.cut();
    await eventually(() => upstream.connections() === 0);
    upstream.forget();
    const say = () => stage.post('old', ada, INITIALIZED, { 'mcp-session-id': id });
    await Promise.all([say(), stage.call('old', ada, id, 'echo', 1, { text: 'x' }), say(), stage.call('old', ada, id, 'echo', 2, { text: 'y' }), say()]);
    expect(upstream.requests().slice(1, 3).map(({ json }) => (json as { method: string }).method)).toEqual(['initialize', 'notifications/initialized']);
    expect(upstream.calls('notifications/initialized')).toHaveLength(1);
  });

  it('has a connection with each edge that serves the session', async () => {
    const id = await opened();
    const answer = await other.call('old', ada, id, 'echo', 1, { text: 'over there' });
    expect(answer.json.result.content[0].text).toBe('over there');
    expect(upstream.connections()).toBe(2);
    await stage.send('DELETE', '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': id });
    await eventually(() => upstream.connections() === 0);
  });

  it('is initialized though the client said so to another edge', async () => {
    const id = await stage.session('old', ada);
    await other.post('old', ada, INITIALIZED, { 'mcp-session-id': id });
    expect((await stage.call('old', ada, id, 'echo', 1, { text: 'x' })).status).toBe(200);
    expect(upstream.calls('notifications/initialized')).toHaveLength(1);
  });

  it('is left when the client ends its session', async () => {
    const id = await opened();
    const ended = await stage.send('DELETE', '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': id });
    expect(ended.status).toBe(200);
    await eventually(() => upstream.connections() === 0);
    expect((await stage.call('old', ada, id, 'echo')).status).toBe(404);
    expect(upstream.requests().map(({ method }) => method)).not.toContain('DELETE');
  });

  it('does not go on working for a client that left before its answer', async () => {
    const id = await opened();
    const leaving = await openStream(stage.gateway.port, '/mcp/old', { authorization: `Bearer ${ada}`, 'mcp-session-id': id }, JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'wait', arguments: { ms: 300 } } }), true);
    await eventually(() => upstream.calls('tools/call').length === 1);
    leaving.close();
    expect((await stage.call('old', ada, id, 'echo', 9, { text: 'same id' })).json.result.content[0].text).toBe('same id');
  });

  it('is left when it is stopped, and when the token of the client is revoked', async () => {
    const ben = neighbours.addToken('ben');
    await stage.changed();
    await stage.session('old', ben);
    await eventually(() => upstream.connections() === 1);
    neighbours.revoke(ben);
    await stage.changed();
    await eventually(() => upstream.connections() === 0);
    await opened();
    neighbours.servers[0]!.restarts += 1;
    neighbours.policyVersion += 1;
    await stage.changed();
    await eventually(() => upstream.connections() === 0);
  });
});

describe('many sessions with an HTTP+SSE server of the first revision', () => {
  it('are told a revision that clients know, kept apart, and closed with the edge', async () => {
    const neighbours = new Neighbours();
    await neighbours.serve();
    const upstream = await startHttpSseUpstream({ protocolVersion: '2024-11-05' });
    const ada = neighbours.addToken('ada');
    neighbours.addServer('first', upstream.url).transport = 'sse';
    neighbours.setPolicy('permit (principal, action, resource);');
    const stage = await (await EdgeStage.start(neighbours, { upstreamHeadMs: 30_000 })).ready();
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stage', version: '1' } };
    const told = await stage.post('first', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect(told.json.result.protocolVersion).toBe('2025-03-26');
    const ids = await Promise.all(Array.from({ length: 63 }, () => stage.session('first', ada)));
    expect(upstream.connections()).toBe(64);
    const over = await stage.post('first', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect([over.status, over.json.error.code]).toEqual([429, 1041]);
    const answers = await Promise.all(ids.map((id, at) => stage.call('first', ada, id, 'echo', 1, { text: String(at) })));
    expect(answers.map(({ json }) => json.result.content[0].text)).toEqual(ids.map((_, at) => String(at)));
    await stage.close();
    await eventually(() => upstream.connections() === 0);
    await neighbours.close();
    await upstream.close();
  }, 60_000);
});
