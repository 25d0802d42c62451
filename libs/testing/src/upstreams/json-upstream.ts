import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { PLAIN_CALL_RESULT, plainResult, rpcRequestOf, type RpcRequest } from './plain-answers.js';
import { startRecordingServer, type RecordedRequest, type RequiredHeader, type Upstream } from './recording-server.js';

/** How the small upstream answers. */
export interface JsonUpstreamOptions {
  /** Answers as an event stream of one event instead of as JSON. */
  sse?: boolean;
  requiredHeader?: RequiredHeader;
  /** False counts hits without keeping requests: for load. */
  record?: boolean;
}

// Serialised once: under load the upstream must not be what is measured.
const CALL_RESULT = JSON.stringify(PLAIN_CALL_RESULT);

/**
 * Starts a minimal, fast MCP server: initialize, five tools, every call answered at once with about
 * 1.3 KiB. It hands out a session id and asks for none.
 */
export function startJsonUpstream(options: JsonUpstreamOptions = {}): Promise<Upstream> {
  const { requiredHeader, record } = options;
  return startRecordingServer((recorded, response) => answer(recorded, response, options.sse === true), { requiredHeader, record });
}

function answer(recorded: RecordedRequest, response: ServerResponse, sse: boolean): void {
  if (recorded.method !== 'POST') return void response.writeHead(recorded.method === 'DELETE' ? 200 : 405).end();
  const rpc = rpcRequestOf(recorded.json);
  if (rpc === undefined) return void response.writeHead(202).end();
  if (rpc.method === 'initialize') response.setHeader('mcp-session-id', randomUUID());
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id)},${outcome(rpc)}}`;
  response.writeHead(200, { 'content-type': sse ? 'text/event-stream' : 'application/json' });
  response.end(sse ? `event: message\ndata: ${body}\n\n` : body);
}

function outcome(rpc: RpcRequest): string {
  if (rpc.method === 'tools/call') return `"result":${CALL_RESULT}`;
  const result = plainResult(rpc);
  return result === undefined ? '"error":{"code":-32601,"message":"Method not found"}' : `"result":${JSON.stringify(result)}`;
}
