import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startConformanceUpstream, startRawUpstream, type ConformanceUpstream, type Upstream } from '@gatehouse/testing';
import { EventReader } from './hostile-clients/event-reader.js';
import { freshToken } from './world/fresh-token.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';
import { WireClient, type Sending } from './wire/wire-client.js';

const CREDENTIAL = 'canary-credential-of-the-obedient';
const WITHIN_MS = 1_000;
const AT_ONCE = 64;
const CLIENT_HEADERS = {
  cookie: 'session=canary-cookie',
  'proxy-authorization': 'Basic canary-proxy',
  forwarded: 'for=canary-forwarded',
  'x-forwarded-for': 'canary-forwarded-for',
  'x-forwarded-host': 'canary-forwarded-host',
  'x-real-ip': 'canary-real-ip',
  'x-user-id': 'canary-user',
  'x-gatehouse-person': 'canary-person',
  'x-api-key': 'canary-client-key',
  'mcp-init-host': 'canary-init-host',
  baggage: 'tenant=canary-baggage',
  'user-agent': 'canary-agent',
  'accept-encoding': 'gzip, br',
  'accept-language': 'canary-language',
};
const TO_UPSTREAM = ['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'mcp-protocol-version', 'mcp-session-id', 'user-agent', 'x-api-key'];
const TO_CLIENT = ['cache-control', 'connection', 'content-length', 'content-type', 'date', 'keep-alive', 'mcp-session-id', 'transfer-encoding', 'x-accel-buffering'];

inBothForms('What belongs to one person never reaches another', (world) => {
  let upstream: ConformanceUpstream;
  let silent: Upstream;
  let ada: string;
  let ben: { id: string; token: string };
  let since: number;

  beforeAll(async () => {
    upstream = await startConformanceUpstream({ requiredHeader: { name: 'x-api-key', value: CREDENTIAL } });
    silent = await startRawUpstream(() => undefined);
    await registered(world(), { name: 'obedient', url: upstream.url, auth: { kind: 'headers', headers: [{ name: 'X-Api-Key', value: CREDENTIAL, secret: true }] } });
    await registered(world(), { name: 'silent', url: silent.url });
    for (const name of ['obedient', 'silent']) await servedEverywhere(world(), name);
    const person = await admin(world()).ok('POST', '/people', { name: 'Ben' });
    ben = await freshToken(world(), { name: 'his', callerId: person.id });
    ada = world().adminToken;
    since = Date.now();
  });

  afterAll(async () => {
    await upstream.close();
    await silent.close();
  });

  const opened = async (token: string, capabilities: object = {}, sending: Sending = {}): Promise<WireClient> => {
    const client = new WireClient(world(), 'obedient', token);
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'story', version: '1' } };
    const answer = await client.request('initialize', params, { session: null, ...sending });
    client.sessionId = answer.headers.get('mcp-session-id');
    expect(client.sessionId).not.toBeNull();
    return client;
  };
  /** Posts and leaves the answer unread. */
  const stream = (client: WireClient, message: object, edge = 0, signal?: AbortSignal, server = 'obedient'): Promise<Response> =>
    fetch(`${world().edges[edge % world().edges.length]}/mcp/${server}`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${client.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        'mcp-session-id': client.sessionId!,
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal === undefined ? {} : { signal }),
    });
  const recordsOf = async (query: string, count: number): Promise<any[]> =>
    eventually(async () => {
      const { items } = await admin(world()).ok('GET', `/audit/records?since=${since - 1}&limit=1000&${query}`);
      const ended = items.filter(({ outcome }: any) => outcome !== null);
      return ended.length >= count ? ended : undefined;
    });

  it('a session with another token is unknown by every verb, with a record each (E-42)', async () => {
    const own = await opened(ada);
    const thief = new WireClient(world(), 'obedient', ben.token);
    const hits = upstream.hits();
    const stolen = { session: own.sessionId, headers: { 'user-agent': 'thief' } };
    expect((await thief.call('echo', { text: 'x' }, stolen)).status).toBe(404);
    expect((await thief.request('ping', {}, { ...stolen, edge: 1 })).status).toBe(404);
    expect((await thief.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, stolen)).status).toBe(404);
    expect((await thief.listen(stolen)).status).toBe(404);
    expect(await thief.end({ ...stolen, edge: 1 })).toBe(404);
    expect(upstream.hits()).toBe(hits);
    const thefts = (await recordsOf('code=unknown_session', 5)).filter(({ facts }) => facts.client.userAgent === 'thief');
    expect(thefts.map(({ facts, outcome }) => [facts.caller.name, outcome.status])).toEqual(Array(5).fill(['Ben', 'refused']));
    expect((await own.call('echo', { text: 'still mine' })).messages.at(-1).result.content[0].text).toBe('still mine');
  });

  it('the events of another session are not replayed, of the same person neither (E-44)', async () => {
    const [own, other, his] = [await opened(ada), await opened(ada), await opened(ben.token)];
    const reader = new EventReader(await stream(own, { id: 1, method: 'tools/call', params: { name: 'test_tool_with_logging', arguments: {} } }));
    const { id } = await reader.first((event) => event.id !== undefined);
    await reader.end();
    const hits = upstream.hits();
    for (const [at, client] of [other, his].entries()) {
      const answer = await client.listen({ edge: at, headers: { 'last-event-id': id! } });
      expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('unknown_session')]);
    }
    expect(upstream.hits()).toBe(hits);
    const again = new EventReader(await own.listen({ edge: 1, headers: { 'last-event-id': id! } }));
    await again.first(({ message }) => message?.id === 1);
  });

  it('a question to one client cannot be answered by another (E-42)', async () => {
    const [own, other, his] = [await opened(ada, { sampling: {} }), await opened(ada, { sampling: {} }), await opened(ben.token, { sampling: {} })];
    const reader = new EventReader(await stream(own, { id: 1, method: 'tools/call', params: { name: 'test_sampling', arguments: { prompt: 'secret' } } }));
    const asked = await reader.first(({ message }) => message?.method === 'sampling/createMessage');
    const answer = (text: string): object => ({ jsonrpc: '2.0', id: asked.message.id, result: { role: 'assistant', model: 'm', content: { type: 'text', text } } });
    const hits = upstream.hits();
    for (const client of [other, his]) {
      const refused = await client.post(answer('forged'), { edge: 1 });
      expect([refused.status, refused.messages[0].error.data.type]).toEqual([400, 'unknown_response']);
    }
    expect(upstream.hits()).toBe(hits);
    expect((await own.post(answer('genuine'), { edge: 1 })).status).toBe(202);
    const { message } = await reader.first((event) => event.message?.id === 1);
    expect(message.result.content[0].text).toBe('LLM response: genuine');
    expect((await own.post(answer('again'))).status).toBe(400);
  });

  it(`${AT_ONCE} calls at once under one id and one progress token: none gets a word of another (E-45)`, async () => {
    const clients = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => opened(at % 2 === 0 ? ada : ben.token, {}, { edge: at })));
    const crossed: unknown[] = [];
    await Promise.all(
      clients.map(async (client, at) => {
        const canary = `canary-${at}-of-${at % 2 === 0 ? 'ada' : 'ben'}`;
        const said = await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: canary } } }, { edge: at + 1 });
        const texts = said.messages.map((message) => message.result?.content?.[0]?.text);
        if (texts.length !== 1 || texts[0] !== canary) crossed.push([canary, texts]);
        const params = { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 'the same' } };
        const { messages } = await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, { edge: at });
        const progress = messages.filter(({ method }) => method === 'notifications/progress').map((message) => message.params.progress);
        if (JSON.stringify(progress) !== '[0,50,100]') crossed.push([canary, progress]);
      }),
    );
    expect(crossed).toEqual([]);
  }, 60_000);

  it('news for one session do not arrive on the stream of another (E-45)', async () => {
    const [own, his] = [await opened(ada), await opened(ben.token)];
    const [ownNews, hisNews] = [new EventReader(await own.listen()), new EventReader(await his.listen({ edge: 1 }))];
    await own.call('announce_changes', {}, { edge: 1 });
    await ownNews.first(({ message }) => message?.method === 'notifications/tools/list_changed');
    await own.call('echo', { text: 'time for news to arrive' });
    expect(hisNews.seen.filter(({ message }) => message !== undefined)).toEqual([]);
  });

  it('nothing the client sends as a header reaches the upstream but what the protocol needs (E-20, E-46)', async () => {
    const own = await opened(ada);
    await own.call('echo', { text: 'x' }, { headers: { ...CLIENT_HEADERS, 'mcp-protocol-version': '2025-11-25' } });
    const sent = upstream.calls('tools/call').at(-1)!;
    expect(Object.keys(sent.headers).sort()).toEqual(TO_UPSTREAM);
    expect(sent.headers).toMatchObject({ 'user-agent': 'gatehouse', 'x-api-key': CREDENTIAL, 'accept-encoding': 'identity' });
    for (const each of upstream.requests()) {
      const shown = JSON.stringify(each.rawHeaders);
      for (const secret of [ada, ben.token, own.sessionId!]) expect(shown).not.toContain(secret);
      expect(shown.replaceAll(CREDENTIAL, '')).not.toContain('canary');
    }
  });

  it('nothing the upstream sends as a header reaches the client, and no page of another origin is let in (E-24, E-25)', async () => {
    const own = await opened(ada);
    const upstreamIds = upstream.requests().flatMap(({ headers }) => headers['mcp-session-id'] ?? []);
    for (const answer of [await own.initialize(), await own.call('echo', { text: 'x' }), await own.request('tools/list')]) {
      expect([...answer.headers.keys()].filter((name) => !TO_CLIENT.includes(name))).toEqual([]);
      expect(upstreamIds).not.toContain(answer.headers.get('mcp-session-id'));
    }
    const origin = world().edges[0]!;
    const page = await own.call('echo', { text: 'x' }, { headers: { origin } });
    expect([page.status, page.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    const preflight = await fetch(`${origin}/mcp/obedient`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });

  it('reserved _meta ends at the hop (E-41)', async () => {
    const own = await opened(ada);
    const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 'canary-task' }, 'example.com/mine': 'kept', progressToken: 7 };
    await own.request('tools/call', { name: 'echo', arguments: { text: 'x' }, _meta });
    const sent = upstream.calls('tools/call').at(-1)!;
    expect((sent.json as any).params._meta).toEqual({ 'example.com/mine': 'kept', progressToken: 7 });
  });

  it.each([
    ['inside the event stream', 'obedient', 'slow'],
    ['before the upstream said anything', 'silent', 'get_issue'],
  ])('a client that leaves %s takes its upstream call with it, within a second (E-47)', async (_when, server, tool) => {
    const target = server === 'silent' ? silent : upstream;
    const client = new WireClient(world(), server, ada);
    await client.initialize();
    const [aborted, calls, leave] = [target.aborted(), target.calls('tools/call').length, new AbortController()];
    const gone = stream(client, { id: 1, method: 'tools/call', params: { name: tool, arguments: { ms: 30_000 } } }, 1, leave.signal, server).catch(() => undefined);
    await eventually(async () => (target.calls('tools/call').length > calls ? true : undefined));
    if (server === 'obedient') await gone;
    leave.abort();
    const left = Date.now();
    await eventually(async () => (target.aborted() > aborted ? true : undefined), WITHIN_MS);
    expect(Date.now() - left).toBeLessThan(WITHIN_MS);
    expect(await recordsOf(`outcome=cancelled&tool=${tool}`, 1)).toHaveLength(1);
    await gone;
  });

  it('a revoked token is refused within a second at every edge, and its open streams are cut', async () => {
    const { edges } = world();
    const clients = await Promise.all(edges.map((_, edge) => opened(ben.token, {}, { edge })));
    const readers = await Promise.all(clients.map(async (client, edge) => new EventReader(await client.listen({ edge }))));
    const calls = await Promise.all(
      clients.map(async (client, edge) => new EventReader(await stream(client, { id: 1, method: 'tools/call', params: { name: 'slow', arguments: { ms: 30_000 } } }, edge))),
    );
    const bystander = new EventReader(await (await opened(ada)).listen());
    await admin(world()).ok('POST', `/tokens/${ben.id}/revoke`);
    const revoked = Date.now();
    for (const [edge, client] of clients.entries()) {
      await eventually(async () => ((await client.call('echo', { text: 'x' }, { edge })).status === 401 ? true : undefined), WITHIN_MS);
    }
    for (const reader of [...readers, ...calls]) expect(await reader.end(WITHIN_MS)).toBe(true);
    expect(Date.now() - revoked).toBeLessThan(WITHIN_MS);
    expect(bystander.ended).toBe(false);
  });

  it('a disabled person is refused within a second at every edge, with every token', async () => {
    const person = await admin(world()).ok('POST', '/people', { name: 'Cleo' });
    const tokens = [await freshToken(world(), { name: 'one', callerId: person.id }), await freshToken(world(), { name: 'two', callerId: person.id })];
    const clients = await Promise.all(tokens.map(({ token }) => opened(token)));
    await admin(world()).ok('POST', `/people/${person.id}/disable`);
    for (const client of clients) {
      for (const edge of world().edges.keys()) {
        await eventually(async () => ((await client.call('echo', { text: 'x' }, { edge })).status === 401 ? true : undefined), WITHIN_MS);
      }
    }
  });
});
