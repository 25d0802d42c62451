import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { METHODS } from '@gatehouse/mcp';
import { answerHonestly, startConformanceUpstream, startRawUpstream, type ConformanceUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { AeadKey } from '@gatehouse/kernel';
import { LIMITS } from '../limits.js';
import { openSession } from '../sessions/session.js';
import { Neighbours } from '../neighbours.conformance.js';

const CREDENTIAL = 'k3y-of-the-upstream-that-nobody-sees';
const PERMIT_ALL = 'permit (principal, action, resource);';
const MORE_THAN_WHOLE = LIMITS.wholeAnswerBytes + 50_000;

const refusalIn = ({ error, result }: any): unknown => error?.data?.type ?? result?._meta?.['io.gatehouse/refusal']?.code;

describe('the path of a call', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let obedient: ConformanceUpstream;
  let scripted: Upstream;
  let script: RawHandler = (exchange) => answerHonestly(exchange.rpc, exchange.response);
  let ada: string;
  let records = 0;

  beforeAll(async () => {
    await neighbours.serve();
    obedient = await startConformanceUpstream({ requiredHeader: { name: 'x-api-key', value: CREDENTIAL } });
    scripted = await startRawUpstream((exchange) => script(exchange), { methods: ['initialize', 'tools/call', 'tools/list', 'ping'] });
    ada = neighbours.addToken('ada');
    neighbours.addServer('obedient', obedient.url, [['X-Api-Key', CREDENTIAL]]);
    neighbours.addServer('scripted', scripted.url, [['X-Api-Key', CREDENTIAL]]);
    neighbours.addServer('missing', scripted.url, []);
    neighbours.setPolicy(PERMIT_ALL);
    stage = await (await EdgeStage.start(neighbours, { upstreamSilenceMs: 30_000 })).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await obedient.close();
    await scripted.close();
  });

  beforeEach(async () => {
    script = (exchange) => answerHonestly(exchange.rpc, exchange.response);
    records = await stage.recordsSoFar();
  });

  const decide = async (policy: string): Promise<void> => {
    neighbours.setPolicy(policy);
    await stage.changed();
  };
  const session = async (): Promise<string> => {
    const id = await stage.session('scripted', ada);
    records = await stage.recordsSoFar();
    return id;
  };
  const json: (body: (id: unknown) => string | object) => RawHandler = (body) => ({ rpc, response }) => {
    const made = body(rpc.id);
    response.writeHead(200, { 'content-type': 'application/json' }).end(typeof made === 'string' ? made : JSON.stringify(made));
  };

  it('forwards what is permitted with the credential, and writes intent and outcome', async () => {
    const id = await stage.session('obedient', ada);
    records = await stage.recordsSoFar();
    const answer = await stage.call('obedient', ada, id, 'echo', 7, { text: 'hello' });
    expect([answer.status, answer.json.id, answer.json.result.content[0].text]).toEqual([200, 7, 'hello']);
    const [record, ...more] = await stage.recordsAfter(records);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      intended: true,
      facts: {
        kind: 'mcp',
        caller: { kind: 'person', name: 'ada', address: '127.0.0.1' },
        client: { name: 'stage', version: '1' },
        endpoint: 'obedient',
        method: 'tools/call',
        target: 'echo',
        argumentKeys: ['text'],
        decision: { effect: 'allow', policies: ['the-policy'] },
        identity: { visibility: 'global' },
      },
      outcome: { status: 'ok', code: null, httpStatus: 200, upstreamStatus: 200 },
    });
    expect(JSON.stringify(record)).not.toContain('hello');
    expect(JSON.stringify(record)).not.toContain(id);
  });

  it('denies every method of the table when no policy permits, and those outside it always (E-16)', async () => {
    const id = await session();
    await decide('forbid (principal, action, resource);');
    const hits = scripted.hits();
    const params: Record<string, object> = {
      initialize: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      'logging/setLevel': { level: 'info' },
      'completion/complete': { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } },
      'notifications/cancelled': { requestId: 1 },
      'notifications/progress': { progressToken: 1, progress: 1 },
    };
    const ordinary = { name: 'get_issue', arguments: {}, uri: 'file:///a' };
    for (const { method, kind } of METHODS) {
      const message = { jsonrpc: '2.0', ...(kind === 'request' ? { id: 1 } : {}), method, params: params[method] ?? ordinary };
      const { json: said } = await stage.post('scripted', ada, message, method === 'initialize' ? {} : { 'mcp-session-id': id });
      expect([method, refusalIn(said)]).toEqual([method, 'policy_denied']);
    }
    for (const method of ['tasks/get', 'tools/delete', 'x']) {
      const { json: said } = await stage.post('scripted', ada, { jsonrpc: '2.0', id: 1, method, params: ordinary }, { 'mcp-session-id': id });
      expect([method, said.error.data.type]).toEqual([method, 'method_denied']);
    }
    expect(scripted.hits()).toBe(hits);
    const written = await stage.recordsAfter(records, METHODS.length + 3);
    expect(written).toHaveLength(METHODS.length + 3);
    expect(written.filter(({ intended, outcome }) => intended || outcome?.status !== 'refused')).toEqual([]);
    await decide(PERMIT_ALL);
  });

  it('compares names byte for byte: no twin of a permitted tool is called or listed (E-09, E-10)', async () => {
    const id = await session();
    await decide('permit (principal, action == Gatehouse::Action::"connect", resource); permit (principal, action == Gatehouse::Action::"call", resource == Gatehouse::Tool::"scripted/get_issue");');
    const twins = ['get_issue ', ' get_issue', 'Get_issue', 'get_\u0456ssue', 'get\u200b_issue', 'get__issue', 'get_issue\u0000', 'scripted/get_issue', 'get_issu\u00e9', '\uff47et_issue', 'create_issue'];
    const calls = scripted.calls('tools/call').length;
    for (const name of twins) {
      const answer = await stage.call('scripted', ada, id, name);
      expect([name, answer.json.result?.isError, answer.json.result?._meta['io.gatehouse/refusal'].code]).toEqual([name, true, 'policy_denied']);
    }
    expect(scripted.calls('tools/call')).toHaveLength(calls);
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result: { tools: [...twins, 'get_issue', 'get_issue'].map((name) => ({ name, inputSchema: {} })) } }));
    const listed = await stage.post('scripted', ada, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': id });
    expect(listed.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(['get_issue']);
    await decide(PERMIT_ALL);
  });

  it('refuses a call whose credential is not there, without a word to the upstream', async () => {
    const hits = scripted.hits();
    neighbours.credentials.delete(neighbours.accountOf(neighbours.servers.find(({ name }) => name === 'missing')!));
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const answer = await stage.post('missing', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect([answer.json.error.data.type, scripted.hits()]).toEqual(['credential_missing', hits]);
    expect(await stage.recordsAfter(records)).toMatchObject([{ outcome: { status: 'refused', code: 'credential_missing', upstreamStatus: null } }]);
  });

  it('records names of any length without growing by them', async () => {
    const id = await session();
    const args = Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`${at}${'k'.repeat(30_000)}`, at]));
    expect((await stage.call('scripted', ada, id, 't'.repeat(8_000), 1, args)).status).toBe(200);
    expect((await stage.post('scripted', ada, { jsonrpc: '2.0', id: 1, method: 'm'.repeat(500_000) }, { 'mcp-session-id': id })).json.error.data.type).toBe('method_denied');
    const written = await stage.recordsAfter(records, 2);
    expect(written.map(({ facts, outcome }) => [facts.method?.slice(0, 10), outcome?.code])).toEqual([['tools/call', null], ['mmmmmmmmmm', 'method_denied']]);
    for (const { facts } of written) expect(JSON.stringify(facts).length).toBeLessThan(64_000);
  });

  it('tells a tool that failed from a call that did', async () => {
    const id = await session();
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result: { content: [], isError: true } }));
    expect((await stage.call('scripted', ada, id, 'get_issue')).json.result.isError).toBe(true);
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, error: { code: -32602, message: 'Unknown tool' } }));
    expect((await stage.call('scripted', ada, id, 'get_issue')).json.error).toEqual({ code: -32602, message: 'Unknown tool' });
    const written = await stage.recordsAfter(records, 2);
    expect(written.map(({ outcome }) => [outcome?.status, outcome?.code])).toEqual([['tool_error', null], ['error', '-32602']]);
  });

  it('does not pass on an error that the client would take for a verdict on its own request', async () => {
    const id = await session();
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, error: { code: -32022, message: 'Unsupported protocol version' } }));
    expect((await stage.call('scripted', ada, id, 'get_issue')).status).toBe(502);
  });

  it('hands a long answer on as it comes, byte for byte', async () => {
    const id = await session();
    const text = 'x'.repeat(MORE_THAN_WHOLE);
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result: { content: [{ type: 'text', text }] } }));
    const answer = await stage.call('scripted', ada, id, 'get_issue');
    expect(answer.json.result.content[0].text).toHaveLength(text.length);
    expect(answer.headers['content-length']).toBeUndefined();
  });

  it.each([
    ['another id', () => JSON.stringify({ jsonrpc: '2.0', id: 99, result: { text: 'x'.repeat(MORE_THAN_WHOLE) } })],
    ['the credential', (rpc: unknown) => JSON.stringify({ jsonrpc: '2.0', id: rpc, result: { text: `${'x'.repeat(MORE_THAN_WHOLE)}${CREDENTIAL}` } })],
    ['no end', (rpc: unknown) => JSON.stringify({ jsonrpc: '2.0', id: rpc, result: { text: 'x'.repeat(MORE_THAN_WHOLE) } }).slice(0, -1)],
    ['two results', (rpc: unknown) => `{"jsonrpc":"2.0","id":${JSON.stringify(rpc)},"result":{},"result":{"text":"${'x'.repeat(MORE_THAN_WHOLE)}"}}`],
  ])('cuts a long answer that turns out to have %s', async (_what, body) => {
    const id = await session();
    script = json(body);
    await expect(stage.call('scripted', ada, id, 'get_issue')).rejects.toThrow();
    expect(await stage.recordsAfter(records)).toMatchObject([{ outcome: { status: 'upstream_error' } }]);
  });

  it('does not hold a long answer that is no JSON', async () => {
    const id = await session();
    const aborted = scripted.aborted();
    script = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      const more = (): void => void (response.destroyed || (response.write('x'.repeat(65_536)), setImmediate(more)));
      more();
    };
    expect((await stage.call('scripted', ada, id, 'get_issue')).status).toBe(502);
    await eventually(() => scripted.aborted() > aborted);
  });

  it('lets an upstream stream go as soon as it is refused', async () => {
    const id = await session();
    const aborted = scripted.aborted();
    script = ({ response }) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"jsonrpc":"2.0","id":"foreign","result":{}}\n\n');
    const answer = await stage.call('scripted', ada, id, 'get_issue');
    expect(answer.json.error.data.reason).toBe('unexpected_response');
    await eventually(() => scripted.aborted() > aborted);
  });

  it('caps the streams of a person, and lets go of the one too many (E-23)', async () => {
    const id = await session();
    let open = 0;
    script = ({ response }) => {
      open += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
    };
    const call = (at: number): string => JSON.stringify({ jsonrpc: '2.0', id: at, method: 'tools/call', params: { name: 'get_issue' } });
    const headers = { authorization: `Bearer ${ada}`, 'mcp-session-id': id };
    const opened = await Promise.all(Array.from({ length: LIMITS.streamsPerCaller }, (_, at) => stage.open('/mcp/scripted', headers, call(at))));
    expect(new Set(opened.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    const aborted = scripted.aborted();
    const refused = await stage.call('scripted', ada, id, 'get_issue', 'one too many');
    expect([refused.status, refused.json.error.data.type, refused.headers['retry-after']]).toEqual([429, 'too_many_streams', '1']);
    await eventually(() => scripted.aborted() > aborted);
    expect(open).toBe(LIMITS.streamsPerCaller + 1);
    for (const answer of opened) answer.destroy();
    const written = await stage.recordsAfter(records, LIMITS.streamsPerCaller + 1);
    const endings = written.map(({ outcome }) => `${outcome?.status} ${outcome?.code}`).sort();
    expect(endings).toEqual([...Array(LIMITS.streamsPerCaller).fill('cancelled null'), 'refused too_many_streams']);
  });

  it.each([
    ['a version nobody speaks', { protocolVersion: '1999-01-01' }],
    ['a version that is a number', { protocolVersion: 20251125 }],
    ['no version', {}],
  ])('opens no session for an upstream that answers with %s', async (_what, result) => {
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result }));
    await expect(stage.session('scripted', ada)).rejects.toThrow('no session: 502');
  });

  it('mints a session that is bound to token and server and keeps of the client only what it can be asked', async () => {
    script = ({ rpc, response }) => {
      response.setHeader('mcp-session-id', 'upstream-session');
      answerHonestly(rpc, response);
    };
    const id = await stage.session('scripted', ada, { sampling: { context: {} }, elicitation: { form: {}, url: {} }, roots: 'no object', experimental: { x: 1 } });
    const opened = openSession(id, [new AeadKey('key_session', Buffer.from(neighbours.sessionKey))], Date.now());
    expect(opened).toMatchObject({
      ...{ callerId: neighbours.callers[0]!.id, tokenId: neighbours.tokens[0]!.id, serverId: neighbours.servers.find(({ name }) => name === 'scripted')!.id },
      ...{ upstreamId: 'upstream-session', protocolVersion: '2025-11-25', clientName: 'stage', clientVersion: '1' },
      clientCapabilities: { sampling: {}, elicitation: { form: {}, url: {} } },
    });
  });

  it('takes a header named like a part of every object for any other (E-08)', async () => {
    const id = await session();
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_issue', arguments: { constructor: { prototype: { x: 1 } }, toString: 'x' } } };
    const answer = await stage.post('scripted', ada, message, { 'mcp-session-id': id, ['__proto__']: 'x', constructor: 'y' });
    expect(answer.status).toBe(200);
    expect(scripted.calls('tools/call').at(-1)?.body).toBe(JSON.stringify(message));
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('does not advertise tasks, which are not carried', async () => {
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result: { protocolVersion: '2025-11-25', capabilities: { tools: {}, tasks: { list: {} } }, serverInfo: {} } }));
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const answer = await stage.post('scripted', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect(answer.json.result.capabilities).toEqual({ tools: {} });
  });

  it('decides each member of a batch alone, in the version that has batches (E-01)', async () => {
    script = json((rpc) => ({ jsonrpc: '2.0', id: rpc, result: { protocolVersion: '2025-03-26', capabilities: {}, serverInfo: {} } }));
    const id = await stage.session('scripted', ada, {}, '2025-03-26');
    script = (exchange) => answerHonestly(exchange.rpc, exchange.response);
    await decide(`${PERMIT_ALL} forbid (principal, action, resource == Gatehouse::Tool::"scripted/create_issue");`);
    records = await stage.recordsSoFar();
    const calls = scripted.calls('tools/call').length;
    const call = (at: number, name: string): object => ({ jsonrpc: '2.0', id: at, method: 'tools/call', params: { name, arguments: {} } });
    const batch = [call(1, 'get_issue'), call(2, 'create_issue'), { jsonrpc: '2.0', id: 3, method: 'unknown' }, { jsonrpc: '2.0', id: 4, method: 'ping' }];
    const answer = await stage.post('scripted', ada, batch, { 'mcp-session-id': id });
    const answers = answer.text.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)));
    expect(answers.map((each) => [each.id, refusalIn(each) ?? 'result'])).toEqual([[1, 'result'], [2, 'policy_denied'], [3, 'method_denied'], [4, 'result']]);
    expect(scripted.calls('tools/call')).toHaveLength(calls + 1);
    const written = await stage.recordsAfter(records, 5);
    expect(written.map(({ facts, outcome }) => [facts.method, outcome?.code]).sort()).toEqual([['batch', null], ['ping', null], ['tools/call', null], ['tools/call', 'policy_denied'], ['unknown', 'method_denied']]);
    await decide(PERMIT_ALL);
  });
});
