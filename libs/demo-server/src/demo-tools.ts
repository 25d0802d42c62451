import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

const STEP_MS = 100;
const MAX_COUNT = 100;
const SUMMARY_TOKENS = 200;

/** Gives the server its tools: plain ones, a slow one, and one for each thing a server may ask its client. */
export function addDemoTools(server: McpServer): void {
  server.registerTool(
    'echo',
    { description: 'Answers with the text it is given', inputSchema: { text: z.string() }, annotations: { readOnlyHint: true } },
    ({ text }) => said(text),
  );
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() }, annotations: { readOnlyHint: true } },
    ({ a, b }) => said(String(a + b)),
  );
  addCount(server);
  addQuestions(server);
}

function addCount(server: McpServer): void {
  const inputSchema = { to: z.number().int().min(1).max(MAX_COUNT) };
  server.registerTool('count', { description: 'Counts slowly, with progress; may be cancelled', inputSchema }, async ({ to }, extra) => {
    const progressToken = extra._meta?.progressToken;
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: `counting to ${to}` } });
    for (let progress = 1; progress <= to; progress += 1) {
      await sleep(STEP_MS, undefined, { signal: extra.signal });
      const params = { progressToken: progressToken ?? 0, progress, total: to };
      if (progressToken !== undefined) await extra.sendNotification({ method: 'notifications/progress', params });
    }
    return said(`counted to ${to}`);
  });
}

function addQuestions(server: McpServer): void {
  server.registerTool('ask_name', { description: 'Asks the user for a name (elicitation)' }, async (extra) => {
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] };
    const params = { mode: 'form' as const, message: 'What is your name?', requestedSchema };
    const { action, content } = await extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
    return said(action === 'accept' ? `Hello, ${String(content?.['name'])}!` : 'Hello, whoever you are!');
  });
  server.registerTool(
    'summarize',
    { description: "Lets the client's model summarize a text (sampling)", inputSchema: { text: z.string() } },
    async ({ text }, extra) => {
      const content = { type: 'text' as const, text: `Summarize in one sentence: ${text}` };
      const params = { messages: [{ role: 'user' as const, content }], maxTokens: SUMMARY_TOKENS };
      const answer = await extra.sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema);
      return said(answer.content.type === 'text' ? answer.content.text : `(${answer.content.type})`);
    },
  );
  server.registerTool('list_roots', { description: 'Lists the folders that the client shares (roots)' }, async (extra) => {
    const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
    return said(roots.map(({ uri }) => uri).join('\n') || '(none)');
  });
}

function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
