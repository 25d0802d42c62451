import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Edge } from '../edge.js';
import { handleCall } from '../pipeline/pipeline.js';
import { CallDraft } from '../pipeline/record.js';

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  /** A head must be complete within this time; a slow one holds a connection (E-22). */
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  /** Above the 60 s at which load balancers let go, so that they and not we close idle connections. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};

/**
 * The one HTTP server of the edge. MCP endpoints go to the pipeline as plain code; everything else goes
 * to Nest (ADR 0005).
 */
export function createEdgeServer(edge: Edge, nest: RequestListener): Server {
  const server = createServer(LIMITS, (request: IncomingMessage, response: ServerResponse) => {
    const isMcp = request.url?.startsWith('/mcp/') === true || request.url === '/mcp';
    if (isMcp) void handleCall(request, response, edge);
    else nest(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseConnection(error, socket, edge));
  // Upgrades and CONNECT are no part of MCP: without listeners Node closes the socket.
  return server;
}

const TOO_LARGE = 'HPE_HEADER_OVERFLOW';
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

// What is no HTTP gets one answer, one record, and the connection is over: nothing after it is read (E-17).
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, edge: Edge): void {
  if (error.code !== undefined && GONE.has(error.code)) return void socket.destroy();
  const [status, reason] = error.code === TOO_LARGE ? [431, 'Request Header Fields Too Large'] : statusOf(error);
  if (socket.writable) socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
  const draft = new CallDraft(edge, socket.remoteAddress ?? null, null);
  draft.close({ status: 'refused', code: status === 408 ? 'request_timeout' : 'bad_request', httpStatus: status });
}

function statusOf(error: NodeJS.ErrnoException): [number, string] {
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? [408, 'Request Timeout'] : [400, 'Bad Request'];
}

