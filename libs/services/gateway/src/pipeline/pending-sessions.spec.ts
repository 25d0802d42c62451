import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { newId } from '@gatehouse/kernel';
import { answerHonestly, startRawUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const LINK = 'http://gatehouse.test/connect/ticket-0123456789abcdef';
const bearer = (text: string): [string, string][] => [['Authorization', `Bearer ${text}`]];
const PARAMS = { protocolVersion: '2025-06-18', capabilities: { roots: { listChanged: true } }, clientInfo: { name: 'editor', title: 'An editor', version: '3' } };

describe('a session that began without an account', () => {
  const neighbours = new Neighbours();
  const accepted = new Set<string>();
  let stages: EdgeStage[];
  let upstream: Upstream;
  let server: ReturnType<Neighbours['addServer']>;
  let ada: { id: string; token: string };
  let opened = 0;

  const guarded: RawHandler = ({ rpc, recorded, response }) => {
    if (!accepted.has(recorded.headers.authorization ?? '')) return void response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    if (rpc.method === 'initialize') response.setHeader('mcp-session-id', `upstream-${++opened}`);
    answerHonestly(rpc, response);
  };

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startRawUpstream(guarded, { methods: ['initialize', 'tools/call', 'tools/list', 'ping'] });
    server = neighbours.addServer('team-mail', upstream.url);
    Object.assign(server, { identityMode: 'private-or-global', auth: 'oauth' });
    neighbours.setPolicy('permit (principal, action, resource);');
    const shared = memoryEphemeral();
    stages = await Promise.all([EdgeStage.start(neighbours, {}, shared), EdgeStage.start(neighbours, {}, shared)]);
    for (const stage of stages) await stage.ready();
  }, 20_000);

  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await neighbours.close();
    await upstream.close();
  });

  beforeEach(async () => {
    Object.assign(neighbours, { identities: [], connects: [], renewals: [], connect: () => LINK, renew: () => ({ outcome: 'dead', reason: 'server_refused' }) });
    accepted.clear();
    opened = 0;
    const id = newId('person');
    ada = { id, token: neighbours.addToken('ada', { callerId: id }) };
    await changed();
    upstream.forget();
  });

  const changed = async (): Promise<void> => {
    neighbours.directoryVersion += 1;
    await Promise.all(stages.map((stage) => stage.changed()));
  };
  const post = (at: number, session: string, method: string) =>
    stages[at]!.post('team-mail', ada.token, { jsonrpc: '2.0', ...(method.startsWith('notifications/') ? {} : { id: 1 }), method }, { 'mcp-session-id': session });
  const begin = async (at = 0, params: object = PARAMS) => {
    const answer = await stages[at]!.post('team-mail', ada.token, { jsonrpc: '2.0', id: 'i', method: 'initialize', params });
    return { answer, session: String(answer.headers['mcp-session-id']) };
  };
  const connect = async (token = 'of-ada') => {
    accepted.add(`Bearer ${token}`);
    const made = neighbours.addIdentity(server, ada.id, {}, bearer(token));
    await changed();
    return made;
  };
  const toolsOf = (answer: { json: any }): string[] => answer.json.result.tools.map(({ name }: { name: string }) => name);

  it('is opened here, with instructions and one tool, and the server hears nothing', async () => {
    const records = await stages[0]!.recordsSoFar();
    const { answer, session } = await begin();
    expect([answer.status, answer.json.id, answer.json.result.protocolVersion]).toEqual([200, 'i', '2025-06-18']);
    expect(answer.json.result.capabilities).toEqual({ tools: { listChanged: true } });
    expect(answer.json.result.instructions).toMatch(new RegExp(`${LINK}.*connect_team_mail`));
    expect((await post(0, session, 'notifications/initialized')).status).toBe(202);
    expect(toolsOf(await post(0, session, 'tools/list'))).toEqual(['connect_team_mail']);
    expect((await post(0, session, 'ping')).json.result).toEqual({});
    expect(upstream.hits()).toBe(0);
    const [record] = await stages[0]!.recordsAfter(records);
    expect(record).toMatchObject({ intended: false, facts: { method: 'initialize', identity: { reason: 'nothing_connected' } }, outcome: { status: 'ok', code: 'identity_missing', upstreamStatus: null } });
  });

  it('gives the link by its tool, on record as refused', async () => {
    const { session } = await begin();
    const records = await stages[0]!.recordsSoFar();
    const answer = await stages[0]!.call('team-mail', ada.token, session, 'connect_team_mail');
    expect(answer.json.result.content[0].text).toContain(LINK);
    const [record] = await stages[0]!.recordsAfter(records);
    expect(record?.outcome).toMatchObject({ status: 'refused', code: 'identity_missing' });
  });

  it('gives it by elicitation where the client opens pages', async () => {
    const { session } = await begin(0, { ...PARAMS, protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } } });
    const { json } = await stages[0]!.call('team-mail', ada.token, session, 'connect_team_mail');
    expect(json.error).toMatchObject({ code: -32042, data: { elicitations: [{ mode: 'url', url: LINK }] } });
  });

  it('refuses all else with the link', async () => {
    const { session } = await begin();
    expect((await stages[0]!.call('team-mail', ada.token, session, 'get_issue')).text).toContain(LINK);
    expect((await post(0, session, 'prompts/list')).json.error).toMatchObject({ code: 1052, message: expect.stringContaining(LINK) });
  });

  it('becomes the server’s once the account is there, under the same id and with what the client said', async () => {
    const { session } = await begin();
    const own = await connect();
    expect(toolsOf(await post(0, session, 'tools/list'))).toContain('get_issue');
    expect((await stages[0]!.call('team-mail', ada.token, session, 'get_issue')).json.result.isError).toBeUndefined();
    const [initialize, ...again] = upstream.calls('initialize');
    expect([(initialize?.json as any).params, again]).toEqual([PARAMS, []]);
    expect(upstream.calls('notifications/initialized').map(({ headers }) => [headers['mcp-session-id'], headers['mcp-protocol-version']])).toEqual([['upstream-1', '2025-06-18']]);
    expect(upstream.calls('tools/call')[0]?.headers).toMatchObject({ 'mcp-session-id': 'upstream-1', authorization: 'Bearer of-ada' });
    expect(neighbours.leased.at(-1)).toMatchObject({ identityId: own.id, owner: ada.id });
    expect((await stages[0]!.call('team-mail', ada.token, session, 'connect_team_mail')).json.result.content[0].text).toContain('is connected');
    expect(upstream.calls('tools/call')).toHaveLength(1);
  });

  it('is served by another edge, before and after, in one session of the server', async () => {
    const { session } = await begin(0);
    expect(toolsOf(await post(1, session, 'tools/list'))).toEqual(['connect_team_mail']);
    await connect();
    const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((at) => stages[at]!.call('team-mail', ada.token, session, 'get_issue')));
    expect(answers.map(({ json }) => json.result.isError)).toEqual(Array(6).fill(undefined));
    expect(upstream.calls('initialize')).toHaveLength(1);
    expect(new Set(upstream.calls('tools/call').map(({ headers }) => headers['mcp-session-id']))).toEqual(new Set(['upstream-1']));
  });

  it('tells a listening client to list anew, and ends its stream', async () => {
    const { session } = await begin();
    let text = '';
    const over = new Promise<void>((resolve, reject) => {
      const headers = { host: 'gatehouse.test', authorization: `Bearer ${ada.token}`, accept: 'text/event-stream', 'mcp-session-id': session };
      get({ host: '127.0.0.1', port: stages[1]!.gateway.port, path: '/mcp/team-mail', headers, agent: false }, (answer) => {
        answer.on('data', (chunk: Buffer) => (text += String(chunk))).on('end', resolve);
      }).on('error', reject);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(text).toBe('');
    await connect();
    await over;
    expect(text).toContain('notifications/tools/list_changed');
    expect(upstream.hits()).toBe(0);
  });

  it('does not tell a client whose token was revoked', async () => {
    const { session } = await begin();
    const listening = stages[0]!.send('GET', '/mcp/team-mail', { authorization: `Bearer ${ada.token}`, accept: 'text/event-stream', 'mcp-session-id': session });
    await new Promise((resolve) => setTimeout(resolve, 100));
    neighbours.revoke(ada.token);
    await connect();
    expect((await listening).text).not.toContain('list_changed');
  });

  it('is nobody else’s', async () => {
    const { session } = await begin();
    const ben = neighbours.addToken('ben');
    await changed();
    const answer = await stages[0]!.post('team-mail', ben, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': session });
    expect(answer.json.error.data.type).toBe('unknown_session');
  });

  it('ends when its client says so', async () => {
    const { session } = await begin();
    expect((await stages[0]!.send('DELETE', '/mcp/team-mail', { authorization: `Bearer ${ada.token}`, 'mcp-session-id': session })).status).toBe(200);
    await connect();
    expect((await post(0, session, 'tools/list')).json.error.data.type).toBe('unknown_session');
    expect(upstream.hits()).toBe(0);
  });

  it('waits for policy’s yes: who may not connect gets none', async () => {
    neighbours.setPolicy('permit (principal, action, resource) unless { action == Gatehouse::Action::"connect" };');
    await changed();
    const { answer } = await begin();
    neighbours.setPolicy('permit (principal, action, resource);');
    await changed();
    expect([answer.json.error.data.type, answer.headers['mcp-session-id'], neighbours.connects]).toEqual(['policy_denied', undefined, []]);
  });

  it('is what a client gets whose account the server refuses at once', async () => {
    neighbours.addIdentity(server, ada.id, {}, bearer('not-accepted'));
    await changed();
    const { answer, session } = await begin();
    expect([answer.json.result.instructions.includes(LINK), upstream.calls('initialize').length, JSON.stringify(answer.headers).includes('authenticate')]).toEqual([true, 1, false]);
    neighbours.identities = [];
    await connect();
    expect(toolsOf(await post(0, session, 'tools/list'))).toContain('get_issue');
  });

  it('goes on with a new session of the server where another account is chosen', async () => {
    const first = await connect('of-ada');
    const { session } = await begin();
    await stages[0]!.call('team-mail', ada.token, session, 'get_issue');
    neighbours.identities = neighbours.identities.filter((each) => each !== first);
    await connect('second');
    await stages[1]!.call('team-mail', ada.token, session, 'get_issue');
    await eventually(() => upstream.calls('tools/call').length === 2);
    expect(upstream.calls('tools/call').map(({ headers }) => [headers.authorization, headers['mcp-session-id']])).toEqual([
      ['Bearer of-ada', 'upstream-1'],
      ['Bearer second', 'upstream-2'],
    ]);
  });

  it('is not given to a service account', async () => {
    const robot = neighbours.addToken('robot', { callerId: newId('service_account') });
    await changed();
    const answer = await stages[0]!.post('team-mail', robot, { jsonrpc: '2.0', id: 1, method: 'initialize', params: PARAMS });
    expect([answer.headers['mcp-session-id'], answer.json.error.data.type, answer.text.includes('/connect/')]).toEqual([undefined, 'identity_missing', false]);
  });
});
