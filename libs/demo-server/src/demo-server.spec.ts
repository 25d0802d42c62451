import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { startDemoServer, type DemoServer } from './demo-server.js';

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

describe('the demo server', () => {
  let demo: DemoServer;
  let client: Client;
  let now = 0;

  beforeEach(async () => {
    now = 0;
    demo = await startDemoServer({ clock: { now: () => now, monotonicMs: () => now } });
    client = new Client({ name: 'test', version: '1' }, { capabilities: { roots: {}, sampling: {}, elicitation: {} } });
    client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///home' }] }));
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'Ada' } }));
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      role: 'assistant',
      model: 'test',
      content: { type: 'text', text: 'short' },
    }));
    const transport = new StreamableHTTPClientTransport(new URL(demo.url));
    await client.connect(transport as Parameters<Client['connect']>[0]);
  });

  afterEach(async () => {
    await client.close();
    await demo.close();
  });

  const textOf = async (name: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    const { content } = (await client.callTool({ name, arguments: args })) as { content: { text: string }[] };
    return content[0]?.text;
  };
  const initialize = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(demo.url, { method: 'POST', headers: { ...HEADERS, ...headers }, body: INITIALIZE });

  it('echoes, adds, and asks its client for a name, a summary and roots', async () => {
    expect(await textOf('echo', { text: 'hello' })).toBe('hello');
    expect(await textOf('add', { a: 2, b: 3 })).toBe('5');
    expect(await textOf('ask_name')).toBe('Hello, Ada!');
    expect(await textOf('summarize', { text: 'long' })).toBe('short');
    expect(await textOf('list_roots')).toBe('file:///home');
  });

  it('counts with progress', async () => {
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
    await client.callTool({ name: 'count', arguments: { to: 3 } }, undefined, { onprogress });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('has resources, a template and a prompt with completion', async () => {
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(expect.arrayContaining(['demo://welcome', 'demo://clock', 'demo://notes/garden']));
    const { contents } = await client.readResource({ uri: 'demo://notes/goals' });
    expect(contents).toMatchObject([{ text: 'Ship it.' }]);
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'language', value: 'e' } });
    expect(completion.values).toEqual(['english', 'estonian']);
    const { messages } = await client.getPrompt({ name: 'greet', arguments: { name: 'Ada', language: 'french' } });
    expect(messages[0]?.content).toMatchObject({ text: 'Greet Ada in french.' });
  });

  it('tells subscribers when the clock moved', async () => {
    const heard = new Promise<string>((resolve) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri));
    });
    await client.subscribeResource({ uri: 'demo://clock' });
    expect(await heard).toBe('demo://clock');
    await client.unsubscribeResource({ uri: 'demo://clock' });
  });

  it('ends idle sessions, and the longest idle ones above a hundred', async () => {
    for (let session = 0; session < 101; session += 1) {
      now += 1;
      await (await initialize()).body?.cancel();
    }
    await expect(client.ping()).rejects.toThrow(/Session not found/);
    const young = await initialize();
    const id = young.headers.get('mcp-session-id') ?? '';
    await young.body?.cancel();
    const end = (): Promise<Response> => fetch(demo.url, { method: 'DELETE', headers: { 'mcp-session-id': id } });
    now += 31 * 60_000;
    expect((await end()).status).toBe(404);
  });

  it('answers local names only', async () => {
    expect((await initialize({ origin: 'http://attacker.example' })).status).toBe(403);
  });
});
