import type { Tool } from '@modelcontextprotocol/sdk/types.js';

/** A JSON-RPC request as a small upstream reads it. */
export interface RpcRequest {
  id: string | number;
  method: string;
  params: Record<string, unknown>;
}

const tool = (name: string, description: string, readOnlyHint: boolean): Tool => ({
  name,
  description,
  inputSchema: { type: 'object', properties: { id: { type: 'string' }, text: { type: 'string' } } },
  annotations: { readOnlyHint },
});

/** The five tools that the small upstreams list. */
export const PLAIN_TOOLS: readonly Tool[] = [
  tool('get_issue', 'Reads one issue', true),
  tool('list_issues', 'Lists issues', true),
  tool('search', 'Searches issues', true),
  tool('create_issue', 'Writes an issue', false),
  tool('add_comment', 'Writes a comment', false),
];

const ISSUE_BYTES = 1_250;

/** What every tool call answers: about 1.3 KiB in all. */
export const PLAIN_CALL_RESULT = { content: [{ type: 'text', text: `issue ${'.'.repeat(ISSUE_BYTES)}` }] };

/** The result of a request an honest small upstream knows; undefined for a method it does not. */
export function plainResult({ method, params }: RpcRequest): object | undefined {
  if (method === 'initialize') return greeting(params['protocolVersion']);
  if (method === 'tools/list') return { tools: PLAIN_TOOLS };
  if (method === 'tools/call') return PLAIN_CALL_RESULT;
  return method === 'ping' ? {} : undefined;
}

/** The request in a body, or undefined when it holds a notification, an answer or something else. */
export function rpcRequestOf(json: unknown): RpcRequest | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { id, method, params } = json as Partial<RpcRequest>;
  if (typeof method !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return undefined;
  return { id, method, params: params ?? {} };
}

function greeting(protocolVersion: unknown): object {
  return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'small-upstream', version: '1.0.0' } };
}
