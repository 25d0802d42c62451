import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '@gatehouse/kernel';
import { isCallKeys, serveCallKeys } from '../call-statements/serve-call-keys.js';
import type { Edge } from '../edge.js';
import { handleCall } from '../pipeline/pipeline.js';
import { CallDraft } from '../pipeline/record.js';
import type { AuthDoor } from './auth-door.js';
import { authPathOf } from './auth-paths.js';
import { isResourceMetadata, serveResourceMetadata } from './resource-metadata.js';

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  /** A head must be complete within this time; a slow one holds a connection (E-22). */
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  /** Above the 60 s at which load balancers let go, so that they and not we close idle connections. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  /** Node would refuse a missing Host without telling anyone; here it is refused as a foreign one is. */
  requireHostHeader: false,
};

/**
 * The one HTTP server of the edge. MCP endpoints go to the pipeline as plain code, what auth answers goes
 * through its door, if there is one; everything else goes to Nest (ADR 0005).
 */
export function createEdgeServer(edge: Edge, nest: RequestListener, door?: AuthDoor): Server {
  const reading = new WeakMap<Socket, IncomingMessage>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    reading.set(request.socket, request);
    const isMcp = request.url?.startsWith('/mcp/') === true || request.url === '/mcp';
    if (isMcp) return void handleCall(request, response, edge);
    if (isResourceMetadata(request.url)) return serveResourceMetadata(request, response, edge);
    if (isCallKeys(request.url)) return serveCallKeys(request, response, edge);
    const path = door === undefined ? undefined : authPathOf(request.url);
    if (path === undefined) nest(request, response);
    else door!.handle(request, response, path, edge);
  };
  const server = createServer(LIMITS, answer);
  // Without listeners Node answers an unknown Expect and drops CONNECT by itself, and nobody would know.
  server.on('checkExpectation', answer);
  server.on('connect', (_request: IncomingMessage, socket: Socket) => refuseSocket(NO_TUNNEL, socket, edge));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code !== undefined && GONE.has(error.code)) return void socket.destroy();
    const broken = reading.get(socket);
    // What breaks inside a body ends the call that was being read, and that call has its own record.
    refuseSocket(refusalOf(error), socket, broken?.complete === false ? undefined : edge);
  });
  return server;
}

const GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** How a connection is refused that never became a request. */
interface SocketRefusal {
  readonly status: number;
  readonly reason: string;
  readonly code: ErrorCode;
}

const NO_TUNNEL: SocketRefusal = { status: 405, reason: 'Method Not Allowed', code: 'method_not_allowed' };
const BROKEN: SocketRefusal = { status: 400, reason: 'Bad Request', code: 'bad_request' };
const REFUSALS: Readonly<Record<string, SocketRefusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'Request Header Fields Too Large', code: 'bad_request' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'Request Timeout', code: 'request_timeout' },
};

function refusalOf({ code }: NodeJS.ErrnoException): SocketRefusal {
  return REFUSALS[code ?? ''] ?? BROKEN;
}

// What is no HTTP gets one answer, one record, and the connection is over: nothing after it is read (E-17).
function refuseSocket({ status, reason, code }: SocketRefusal, socket: Socket, edge: Edge | undefined): void {
  if (socket.writable) socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
  if (edge === undefined) return;
  const draft = new CallDraft(edge, socket.remoteAddress ?? null, null);
  draft.close({ status: 'refused', code, httpStatus: status });
}
