import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { fingerprint } from '@gatehouse/mcp';
import { Outbound } from '@gatehouse/outbound';
import { answerHonestly, startConformanceUpstream, startJsonUpstream, startRawUpstream, type ConformanceUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { McpProbe } from './mcp-probe.js';
import { observeServer } from './observe-server.js';
import { PostChannel } from './post-channel.js';

type Item = serverContracts.ObservedItem;

describe('looking at a server', () => {
  const outbound = new Outbound();
  const closing: Upstream[] = [];
  let obedient: ConformanceUpstream;

  beforeAll(async () => {
    obedient = await startConformanceUpstream({ requiredHeader: { name: 'x-api-key', value: 'the-key' } });
    closing.push(obedient);
  });

  afterAll(async () => {
    await Promise.all(closing.map((upstream) => upstream.close()));
    await outbound.close();
  });

  const probeOf = ({ url }: Upstream, credential: Record<string, string> = {}): McpProbe => new McpProbe(new PostChannel(outbound.destination(url, { allowPrivateNetwork: true }), credential, false));
  const scripted = async (results: Record<string, (params: any) => object>, capabilities: object = { tools: {} }): Promise<Upstream> => {
    const script: RawHandler = ({ rpc, response }) => {
      const greeting = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'scripted', version: '1' } };
      const result = rpc.method === 'initialize' ? greeting : results[rpc.method]?.(rpc.params);
      const body = result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, ...body }));
    };
    const upstream = await startRawUpstream(script, { methods: ['initialize', 'tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'] });
    closing.push(upstream);
    return upstream;
  };

  it('sees everything an obedient server offers, over event streams and with a session', async () => {
    const probe = probeOf(obedient, { 'x-api-key': 'the-key' });
    const { session, items } = await observeServer(probe);
    await probe.close();
    expect(session).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'conformance-upstream', version: '1.0.0' } });
    const kinds = new Set(items.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['prompt', 'resource', 'resourceTemplate', 'tool']);
    expect(items.find(({ name }) => name === 'echo')).toMatchObject({ kind: 'tool', description: 'Answers with the text it is given' });
    for (const item of items) expect(serverContracts.observedItem.safeParse(item).success).toBe(true);
    expect(obedient.sessions()).toBe(0);
  });

  it('works with a server that answers in JSON and declares tools alone', async () => {
    const upstream = await startJsonUpstream();
    closing.push(upstream);
    const { items } = await observeServer(probeOf(upstream));
    expect(items.map(({ name }) => name)).toEqual(['get_issue', 'list_issues', 'search', 'create_issue', 'add_comment']);
    expect(upstream.calls('prompts/list')).toEqual([]);
  });

  it('takes the fingerprint of the whole definition, members nobody knows included', async () => {
    const tool = { name: 'a', inputSchema: { type: 'object' }, 'x-unknown': { deep: [1, 2] } };
    const { items } = await observeServer(probeOf(await scripted({ 'tools/list': () => ({ tools: [tool] }) })));
    expect(items[0]?.fingerprint).toBe(fingerprint(tool));
    expect(items[0]?.fingerprint).not.toBe(fingerprint({ name: 'a', inputSchema: { type: 'object' } }));
  });

  it('follows cursors, and stops where a server never does', async () => {
    let pages = 0;
    const upstream = await scripted({ 'tools/list': ({ cursor }) => ({ tools: [{ name: `t${(pages += 1)}` }], nextCursor: `${String(cursor)}x` }) });
    const { items } = await observeServer(probeOf(upstream));
    expect([items.length, pages]).toEqual([50, 50]);
  });

  it('keeps two thousand items at most', async () => {
    const upstream = await scripted({ 'tools/list': () => ({ tools: Array.from({ length: 3_000 }, (_, at) => ({ name: `t${at}` })) }) });
    expect((await observeServer(probeOf(upstream))).items).toHaveLength(2_000);
  });

  it('passes over what is no item, and cuts long texts', async () => {
    const tools = [null, 7, 'x', [], {}, { name: 7 }, { name: '' }, { name: 'n'.repeat(3_000) }, { name: 'good', title: 't'.repeat(1_000), description: 'd'.repeat(5_000) }];
    const { items } = await observeServer(probeOf(await scripted({ 'tools/list': () => ({ tools }) })));
    const [good, ...more] = items as [Item, ...Item[]];
    expect(more).toEqual([]);
    expect([good.name, good.title?.length, good.description?.length]).toEqual(['good', 300, 1_000]);
  });

  it('takes a declared list that is not there for an empty one', async () => {
    const upstream = await scripted({ 'resources/list': () => ({ resources: [{ uri: 'file:///a' }] }) }, { resources: {} });
    expect((await observeServer(probeOf(upstream))).items.map(({ name }) => name)).toEqual(['file:///a']);
  });

  it.each([
    ['wants a credential', { 'x-api-key': 'wrong' }, { code: 'upstream_refused', details: { status: 401 } }],
    ['speaks another version', undefined, { code: 'upstream_invalid', details: { reason: 'protocol_version' } }],
    ['answers with HTML', undefined, { code: 'upstream_invalid', details: { reason: 'content_type' } }],
    ['answers another request', undefined, { code: 'upstream_invalid', details: { reason: 'no_response' } }],
  ])('refuses a server that %s', async (how, credential, refusal) => {
    const answers: Record<string, RawHandler> = {
      'speaks another version': ({ rpc, response }) => void response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { protocolVersion: '2031-01-01' } })),
      'answers with HTML': ({ response }) => void response.setHeader('content-type', 'text/html').end('<p>hello'),
      'answers another request': ({ response }) => void response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":99,"result":{}}'),
    };
    const script = answers[how] ?? ((exchange) => answerHonestly(exchange.rpc, exchange.response));
    const upstream = credential === undefined ? await startRawUpstream(script, { methods: ['initialize'] }) : obedient;
    closing.push(upstream);
    await expect(observeServer(probeOf(upstream, credential))).rejects.toMatchObject(refusal);
  });
});
