import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConformanceUpstream, type ConformanceUpstream } from '@gatehouse/testing';
import { alternatingFetch, type AlternatingFetch } from './clients/alternating-fetch.js';
import { connectV1 } from './clients/client-v1.js';
import { connectV2 } from './clients/client-v2.js';
import { ROOT, SAMPLED, type OfficialClient } from './clients/official-client.js';
import { freshToken } from './world/fresh-token.js';
import { withDemo } from './world/sample.js';
import { eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

const CLIENTS = [
  ['1.x', connectV1],
  ['2.x', connectV2],
] as const;
const SLOW_MS = 600;
const UNNOTICED_MS = 150;

/** HTTP status that an error of either SDK carries. */
const statusOf = (error: { status?: number; code?: unknown }): unknown => error.status ?? error.code;

inBothForms('The official clients, their requests spread over all edges', (world) => {
  let upstream: ConformanceUpstream;
  let demo: { close(): Promise<void> };
  let token: string;

  beforeAll(async () => {
    upstream = await startConformanceUpstream();
    demo = await withDemo(world());
    await registered(world(), { name: 'obedient', url: upstream.url });
    await servedEverywhere(world(), 'obedient');
    ({ token } = await freshToken(world(), { name: 'official clients' }));
  });
  afterAll(async () => {
    await demo.close();
    await upstream.close();
  });

  describe.each(CLIENTS)('SDK %s', (_version, connect) => {
    let spread: AlternatingFetch;
    let client: OfficialClient;
    const connected = (server: string, sessionId?: string): Promise<OfficialClient> => {
      spread = alternatingFetch(world().edges);
      const url = `${world().edges[0]}/mcp/${server}`;
      return connect({ url, token, fetch: spread.fetch, ...(sessionId === undefined ? {} : { sessionId }) });
    };
    beforeAll(async () => {
      client = await connected('obedient');
    });
    afterAll(() => client.close());

    /** Edges of the last call and of the client's answer to what the server asked during it. */
    const edgesOfConversation = (): (string | undefined)[] =>
      ['tools/call', 'response'].map((rpc) => spread.sent.findLast((each) => each.rpc === rpc)?.edge);

    it('lists tools and calls them, with every kind of content', async () => {
      const { tools } = await client.sdk.listTools();
      expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'test_simple_text', 'json_schema_2020_12_tool']));
      expect(await client.call('echo', { text: 'grüße, 世界' })).toBe('grüße, 世界');
      expect(await client.call('test_error_handling')).toBe('tool error: This tool intentionally returns an error for testing');
      const { content } = (await client.sdk.callTool({ name: 'test_multiple_content_types' })) as { content: { type: string }[] };
      expect(content.map(({ type }) => type)).toEqual(['text', 'image', 'resource']);
    });

    it('reads resources and templates, gets prompts and completes their arguments', async () => {
      const { resources } = await client.sdk.listResources();
      expect(resources.map(({ uri }) => uri)).toContain('test://static-text');
      const { contents } = await client.sdk.readResource({ uri: 'test://template/7/data' });
      expect(contents[0]).toMatchObject({ uri: 'test://template/7/data', mimeType: 'application/json' });
      const { resourceTemplates } = await client.sdk.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['test://template/{id}/data']);
      const { prompts } = await client.sdk.listPrompts();
      expect(prompts).toHaveLength(4);
      const { messages } = await client.sdk.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } });
      expect(messages[0]?.content).toMatchObject({ text: "Prompt with arguments: arg1='a', arg2='b'" });
      const ref = { type: 'ref/prompt' as const, name: 'test_prompt_with_arguments' };
      const { completion } = await client.sdk.complete({ ref, argument: { name: 'arg1', value: 'par' } });
      expect(completion.values).toEqual(['paris', 'park', 'party']);
    });

    it('sets the log level and hears the messages of a call', async () => {
      await client.sdk.setLoggingLevel('info');
      await client.call('test_tool_with_logging');
      const logged = client.heard.filter(({ method }) => method === 'notifications/message');
      expect(logged.map(({ params }) => params['data'])).toEqual(['Tool execution started', 'Tool processing data', 'Tool execution completed']);
    });

    it('hears progress', async () => {
      const seen: number[] = [];
      await client.call('test_tool_with_progress', {}, { onprogress: ({ progress }) => void seen.push(progress) });
      expect(seen).toEqual([0, 50, 100]);
    });

    it('cancels a call, and the upstream hears of it though another edge holds the call', async () => {
      const before = upstream.stage.cancelled;
      const stop = new AbortController();
      const call = client.call('slow', { ms: 20_000 }, { signal: stop.signal });
      setTimeout(() => stop.abort(new Error('enough')), 100);
      await expect(call).rejects.toThrow('enough');
      await eventually(async () => (upstream.stage.cancelled === before + 1 ? true : undefined), 2_000);
    });

    it.each([
      ['test_sampling', { prompt: 'six by nine?' }, `LLM response: ${SAMPLED}`],
      ['test_elicitation', { message: 'who?' }, 'User response: action=accept, content='],
      ['list_roots', {}, ROOT],
    ])('answers what the server asks in %s, at another edge than the one that asks', async (tool, args, expected) => {
      expect(await client.call(tool, args)).toContain(expected);
      const [asking, answering] = edgesOfConversation();
      expect(answering).toBeDefined();
      if (world().edges.length > 1) expect(answering).not.toBe(asking);
    });

    it('hears on the GET stream that a subscribed resource and the lists changed', async () => {
      const uri = 'test://watched-resource';
      await client.sdk.subscribeResource({ uri });
      expect(upstream.stage.subscriptions).toContain(uri);
      const heard = (method: string) => client.heard.findLast((each) => each.method === method);
      await eventually(async () => {
        await upstream.updateResource(uri);
        return heard('notifications/resources/updated');
      });
      expect(heard('notifications/resources/updated')?.params).toEqual({ uri });
      await client.call('announce_changes');
      for (const list of ['tools', 'resources', 'prompts']) {
        await eventually(async () => heard(`notifications/${list}/list_changed`), 2_000);
      }
      expect((await client.sdk.listTools()).tools.map(({ name }) => name)).toContain('late_tool');
      await client.sdk.unsubscribeResource({ uri });
      expect(upstream.stage.subscriptions).not.toContain(uri);
    });

    it('goes on with Last-Event-ID when the server drops the stream of a call', async () => {
      expect(await client.call('test_reconnection')).toBe('Answered after the stream was dropped.');
      expect(spread.sent.at(-1)).toMatchObject({ verb: 'GET', status: 200 });
    });

    it('resumes a call after the client lost its connection, without the tool running twice', async () => {
      const lost = await connected('obedient');
      const calls = upstream.calls('tools/call').length;
      const resumptionToken = await new Promise<string>((resolve) => {
        lost.call('slow', { ms: SLOW_MS }, { onresumptiontoken: resolve }).catch(() => undefined);
      });
      await lost.close();
      const back = await connected('obedient', lost.sessionId);
      expect(await back.call('slow', { ms: SLOW_MS }, { resumptionToken })).toBe('waited');
      expect(upstream.calls('tools/call')).toHaveLength(calls + 1);
      await back.close();
    });

    it('resumes a call even before its lost connection was noticed', async () => {
      const lost = await connected('obedient');
      const resumptionToken = await new Promise<string>((resolve) => {
        lost.call('slow', { ms: SLOW_MS }, { onresumptiontoken: resolve }).catch(() => undefined);
      });
      const back = await connected('obedient', lost.sessionId);
      const noticed = sleep(UNNOTICED_MS).then(() => lost.close());
      expect(await back.call('slow', { ms: SLOW_MS }, { resumptionToken })).toBe('waited');
      await noticed;
      await back.close();
    });

    it('talks to the sample server: echo, progress, elicitation, sampling, roots and a ticking resource', async () => {
      const sample = await connected('demo');
      expect(await sample.call('echo', { text: 'hi' })).toBe('hi');
      const seen: number[] = [];
      await sample.call('count', { to: 3 }, { onprogress: ({ progress }) => void seen.push(progress) });
      expect(seen).toEqual([1, 2, 3]);
      expect(await sample.call('ask_name')).toBe('Hello, Ada!');
      expect(await sample.call('summarize', { text: 'long' })).toBe(SAMPLED);
      expect(await sample.call('list_roots')).toBe(ROOT);
      await sample.sdk.subscribeResource({ uri: 'demo://clock' });
      await eventually(async () => sample.heard.find(({ params }) => params['uri'] === 'demo://clock'), 3_000);
      await sample.endSession();
      await sample.close();
    });

    it('ends its session: the id is unknown at every edge within a second', async () => {
      const ending = await connected('obedient');
      const { sessionId } = ending;
      await ending.endSession();
      await ending.close();
      const ended = Date.now();
      for (const edge of world().edges) {
        const late = await connect({ url: `${edge}/mcp/obedient`, token, sessionId });
        const status = await eventually(async () => late.call('echo', { text: 'x' }).then(() => undefined, statusOf), 1_000);
        expect(status).toBe(404);
        await late.close();
      }
      expect(Date.now() - ended).toBeLessThan(1_000);
    });

    it('gets 404 for a session that nobody opened', async () => {
      const guesser = await connect({ url: `${world().edges[0]}/mcp/obedient`, token, sessionId: 'a-guess' });
      expect(await guesser.call('echo', { text: 'x' }).catch(statusOf)).toBe(404);
      await guesser.close();
    });
  });

  it('lets the client of both eras fall back: its probe is refused with what is supported, under its own id', async () => {
    const exchanges: { asked: any; status: number; answered: any }[] = [];
    const watched: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
      if (isJson) exchanges.push({ asked: JSON.parse(String(init?.body)), status: answer.status, answered: await answer.clone().json() });
      return answer;
    };
    const client = await connectV2({ url: `${world().edges[0]}/mcp/obedient`, token, fetch: watched });
    const [probe] = exchanges;
    expect(probe?.asked).toMatchObject({ method: 'server/discover' });
    expect(probe).toMatchObject({ status: 400, answered: { id: probe?.asked.id, error: { code: -32022 } } });
    expect(probe?.answered.error.data.supported).toEqual(['2025-11-25', '2025-06-18', '2025-03-26']);
    expect(client.sdk.getServerVersion()?.name).toBe('conformance-upstream');
    expect(await client.call('echo', { text: 'fallen back' })).toBe('fallen back');
    await client.close();
  });
});
