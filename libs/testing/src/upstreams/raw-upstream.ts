import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { plainResult, rpcRequestOf, type RpcRequest } from './plain-answers.js';
import { startRecordingServer, type RecordedRequest, type RequiredHeader, type Upstream } from './recording-server.js';

/** One request in the hands of a script. */
export interface RawExchange {
  rpc: RpcRequest;
  recorded: RecordedRequest;
  request: IncomingMessage;
  /** For answers that Node.js would write itself. */
  response: ServerResponse;
  /** For answers that it would not. */
  socket: Socket;
}

/** Writes whatever it likes as the answer to one request. */
export type RawHandler = (exchange: RawExchange) => void;

/** Which requests the script gets. */
export interface RawUpstreamOptions {
  /** Methods handed to the script; all else is answered honestly. `tools/call` alone unless told. */
  methods?: readonly string[];
  requiredHeader?: RequiredHeader;
}

/** Starts an MCP server that is honest up to the methods it hands to the script. */
export function startRawUpstream(handler: RawHandler, options: RawUpstreamOptions = {}): Promise<Upstream> {
  const { requiredHeader, methods = ['tools/call'] } = options;
  const guarded = new WeakSet<Socket>();
  return startRecordingServer(
    (recorded, response, request) => {
      const rpc = rpcRequestOf(recorded.json);
      if (rpc === undefined) return void response.writeHead(recorded.method === 'POST' ? 202 : 405).end();
      guardOnce(request.socket, guarded);
      if (methods.includes(rpc.method)) handler({ rpc, recorded, request, response, socket: request.socket });
      else answerHonestly(rpc, response);
    },
    { requiredHeader },
  );
}

// The other side hanging up on a script is the expected end of many of them.
function guardOnce(socket: Socket, guarded: WeakSet<Socket>): void {
  if (!guarded.has(socket)) socket.on('error', () => undefined);
  guarded.add(socket);
}

/** The honest answer as JSON; headers set before stay. */
export function answerHonestly(rpc: RpcRequest, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(honestMessage(rpc)));
}

/** The honest answer as a message. */
export function honestMessage(rpc: RpcRequest): Record<string, unknown> {
  return { jsonrpc: '2.0', id: rpc.id, result: plainResult(rpc) ?? {} };
}
