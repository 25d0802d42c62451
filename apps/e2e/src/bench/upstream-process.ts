import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const TOOLS = ['get_issue', 'list_issues', 'search', 'create_issue', 'add_comment'].map((name) => ({
  name,
  description: `Does ${name}`,
  inputSchema: { type: 'object' },
}));
// Serialised once: the upstream must not be what is measured.
const ISSUE = 'The export fails when a column is empty; seen twice since Monday, first by the people in Lyon. '.repeat(13);
const CALL_RESULT = JSON.stringify({ content: [{ type: 'text', text: ISSUE }] });

const server = createServer((request, response) => {
  if (request.method === 'POST') void readAnd((body) => answer(body, response), request);
  else if (request.method === 'GET') listen(response);
  else response.writeHead(200).end();
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
process.once('disconnect', () => process.exit());

async function readAnd(then: (body: Buffer) => void, request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  then(Buffer.concat(chunks));
}

function answer(body: Buffer, response: ServerResponse): void {
  const { id, method, params } = JSON.parse(body.toString('utf8')) as { id?: number; method: string; params?: Record<string, unknown> };
  if (id === undefined) return void response.writeHead(202).end();
  if (method === 'initialize') response.setHeader('mcp-session-id', randomUUID());
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultOf(method, params)}}`;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function resultOf(method: string, params: Record<string, unknown> | undefined): string {
  if (method === 'tools/call') return CALL_RESULT;
  if (method === 'tools/list') return JSON.stringify({ tools: TOOLS });
  if (method !== 'initialize') return '{}';
  const serverInfo = { name: 'bench-upstream', version: '1.0.0' };
  return JSON.stringify({ protocolVersion: params?.['protocolVersion'], capabilities: { tools: {} }, serverInfo });
}

function listen(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}
