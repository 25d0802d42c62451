import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startConformanceUpstream, startJsonUpstream, type ConformanceUpstream, type Upstream } from '@gatehouse/testing';
import { WireClient, type WireAnswer } from './wire/wire-client.js';
import { freshToken } from './world/fresh-token.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

const MANY = 1_000;
const AT_ONCE = 40;
const WITHIN_MS = 1_000;
const NOT_FOUND = { code: -32001, message: expect.stringContaining('initialize again') };
/** For what takes seconds on a busy machine. */
const LONG_MS = 60_000;

/** Runs `work` for 0..count-1, a few at a time. */
async function forEachOf(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const textOf = ({ messages }: WireAnswer): unknown => messages.at(-1)?.result?.content?.[0]?.text;

inBothForms('A session', (world) => {
  let upstream: ConformanceUpstream;
  let plain: Upstream;

  beforeAll(async () => {
    upstream = await startConformanceUpstream();
    plain = await startJsonUpstream();
    await registered(world(), { name: 'obedient', url: upstream.url });
    await registered(world(), { name: 'plain', url: plain.url });
    for (const name of ['obedient', 'plain']) await servedEverywhere(world(), name);
  });
  afterAll(async () => {
    await upstream.close();
    await plain.close();
  });

  const opened = async (server = 'obedient', token?: string): Promise<WireClient> => {
    const client = new WireClient(world(), server, token);
    expect(await client.initialize()).toMatchObject({ status: 200 });
    return client;
  };
  const expectUnknown = async (answer: Promise<WireAnswer>): Promise<void> => {
    const { status, messages } = await answer;
    expect([status, messages[0]?.error]).toEqual([404, expect.objectContaining(NOT_FOUND)]);
  };

  it('has an id of visible ASCII that says nothing of the upstream, the person or the time', async () => {
    const ids = [await opened(), await opened()].map(({ sessionId }) => sessionId!);
    const upstreamIds = upstream.requests().map(({ headers }) => headers['mcp-session-id']);
    const person = await admin(world()).ok('GET', '/whoami');
    for (const id of ids) {
      expect(id).toMatch(/^[\x21-\x7e]{64,2000}$/);
      expect(upstreamIds).not.toContain(id);
      const decoded = id.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1')).join(' ');
      expect(decoded).not.toContain(person.id);
      expect(decoded).not.toContain('2025-11-25');
    }
    expect(ids[0]!.slice(-32)).not.toBe(ids[1]!.slice(-32));
  });

  it('is unknown to another token of the same person, to another person, at another endpoint, and with one character changed', async () => {
    const { sessionId: session } = await opened();
    const second = await freshToken(world(), { name: 'second client' });
    const person = await admin(world()).ok('POST', '/people', { name: 'Somebody Else' });
    const foreign = await freshToken(world(), { name: 'theirs', callerId: person.id });
    const hits = upstream.hits();
    await expectUnknown(new WireClient(world(), 'obedient', second.token).call('echo', { text: 'x' }, { session }));
    await expectUnknown(new WireClient(world(), 'obedient', foreign.token).call('echo', { text: 'x' }, { session }));
    await expectUnknown(new WireClient(world(), 'plain').call('get_issue', {}, { session }));
    const middle = session!.length >> 1;
    const forged = session!.slice(0, middle) + (session![middle] === 'A' ? 'B' : 'A') + session!.slice(middle + 1);
    await expectUnknown(new WireClient(world(), 'obedient').call('echo', { text: 'x' }, { session: forged }));
    expect(upstream.hits()).toBe(hits);
  });

  it.each([
    ['a word', 'a-guess'],
    ['a long number', '0'.repeat(500)],
    ['JSON', '{"personId":"p"}'],
    ['a path', '..'],
    ['something shaped like a sealed text', 'k1.AAAA.BBBB'],
  ])('is unknown under %s, by every verb', async (_shape, session) => {
    const client = new WireClient(world(), 'obedient');
    const hits = upstream.hits();
    await expectUnknown(client.call('echo', { text: 'x' }, { session }));
    expect(await client.end({ session })).toBe(404);
    expect((await client.listen({ session })).status).toBe(404);
    expect(upstream.hits()).toBe(hits);
  });

  it('is required: a call without one is refused with 400', async () => {
    const { status, messages } = await new WireClient(world(), 'obedient').call('echo', { text: 'x' });
    expect([status, messages[0]?.error.code]).toEqual([400, -32000]);
  });

  it('that was ended at one edge is unknown at the other within a second', async () => {
    const client = await opened();
    for (const edge of [0, 1]) expect(textOf(await client.call('echo', { text: 'hi' }, { edge }))).toBe('hi');
    const open = upstream.sessions();
    expect(await client.end({ edge: 0 })).toBe(200);
    await eventually(async () => ((await client.call('echo', { text: 'x' }, { edge: 1 })).status === 404 ? true : undefined), WITHIN_MS);
    await expectUnknown(client.call('echo', { text: 'x' }, { edge: 0 }));
    expect(upstream.sessions()).toBe(open - 1);
  });

  it('is opened afresh by an initialize that names a stale one, which the upstream does not hear of', async () => {
    const client = await opened();
    const stale = client.sessionId!;
    await client.end();
    for (const session of [stale, 'garbage']) {
      expect(await client.initialize('2025-11-25', { session })).toMatchObject({ status: 200 });
      expect(client.sessionId).not.toBe(session);
      expect(upstream.calls('initialize').at(-1)?.headers['mcp-session-id']).toBeUndefined();
      expect(textOf(await client.call('echo', { text: 'fresh' }))).toBe('fresh');
    }
  });

  it('that the upstream forgot is unknown, and stays so without asking again', async () => {
    const client = await opened();
    await upstream.dropSessions();
    await expectUnknown(client.call('echo', { text: 'x' }));
    const hits = upstream.hits();
    await expectUnknown(client.call('echo', { text: 'x' }));
    expect(upstream.hits()).toBe(hits);
    await client.initialize();
    expect(textOf(await client.call('echo', { text: 'again' }))).toBe('again');
  });

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])('is negotiated in version %s, which goes on to the upstream', async (version) => {
    const client = new WireClient(world(), 'obedient');
    const { messages } = await client.initialize(version);
    expect(messages.at(-1).result.protocolVersion).toBe(version);
    const header = version === '2025-03-26' ? {} : { 'mcp-protocol-version': version };
    expect(textOf(await client.call('echo', { text: version }, { headers: header }))).toBe(version);
    expect(upstream.calls('tools/call').at(-1)?.headers['mcp-protocol-version']).toBe(version);
    const unknown = await client.call('echo', { text: 'x' }, { headers: { 'mcp-protocol-version': '2024-11-05' } });
    expect([unknown.status, unknown.messages[0].error.code]).toEqual([400, -32022]);
  });

  it('offers the newest version to a client that asks for one nobody speaks', async () => {
    const { status, messages } = await new WireClient(world(), 'obedient').initialize('1999-01-01');
    expect([status, messages.at(-1).result.protocolVersion]).toEqual([200, '2025-11-25']);
  });

  it('answers a batch in version 2025-03-26, each member decided for itself, and refuses it elsewhere', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'echo', arguments: { text: 'one' } } },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 'b', method: 'no/such/method' },
      { jsonrpc: '2.0', id: 3, method: 'ping' },
    ];
    const client = new WireClient(world(), 'obedient');
    await client.initialize('2025-03-26');
    const { status, messages } = await client.post(batch);
    expect(status).toBe(200);
    const byId = new Map(messages.map((message) => [message.id, message]));
    expect([...byId.keys()].sort()).toEqual([3, 'a', 'b'].sort());
    expect(byId.get('a').result.content[0].text).toBe('one');
    expect(byId.get('b').error.code).toBe(-32601);
    expect(byId.get(3).result).toEqual({});
    const hits = upstream.hits();
    for (const version of ['2025-06-18', '2025-11-25']) {
      const other = new WireClient(world(), 'plain');
      await other.initialize(version);
      expect(await other.post(batch)).toMatchObject({ status: 400, messages: [{ error: { code: -32600 } }] });
    }
    expect(await new WireClient(world(), 'obedient').post(batch)).toMatchObject({ status: 400 });
    expect(upstream.hits()).toBe(hits);
  });

  it('keeps its own upstream session among a thousand others', async () => {
    const clients = Array.from({ length: MANY }, () => new WireClient(world(), 'plain'));
    await forEachOf(MANY, async (at) => void (await clients[at]!.initialize('2025-11-25', { edge: at })));
    expect(new Set(clients.map(({ sessionId }) => sessionId)).size).toBe(MANY);
    plain.forget();
    // Each is used at the edge that did not open it, where there are two.
    await forEachOf(MANY, async (at) => {
      expect(await clients[at]!.call('get_issue', { id: String(at) }, { edge: at + 1 })).toMatchObject({ status: 200 });
    });
    const used = plain.calls('tools/call').map(({ headers }) => headers['mcp-session-id']);
    expect(used).toHaveLength(MANY);
    expect(new Set(used).size).toBe(MANY);
  }, LONG_MS);

  it(
    'survives a restart of the edge without another initialize',
    async () => {
      const client = await opened();
      expect(textOf(await client.call('echo', { text: 'before' }))).toBe('before');
      const initialized = upstream.calls('initialize').length;
      const edge = world().edgeProcesses[0]!;
      expect(await edge.stop()).toBe(0);
      await edge.start();
      await edge.ready();
      expect(textOf(await client.call('echo', { text: 'after' }))).toBe('after');
      const session = upstream.calls('tools/call').map(({ headers }) => headers['mcp-session-id']);
      expect(session.at(-1)).toBe(session.at(-2));
      expect(upstream.calls('initialize')).toHaveLength(initialized);
      await client.end();
    },
    LONG_MS,
  );
});
