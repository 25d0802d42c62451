import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { systemClock, type Clock } from '@gatehouse/kernel';
import { addDemoContents } from './demo-contents.js';
import { addDemoTools } from './demo-tools.js';

/** A running demo server. */
export interface DemoServer {
  readonly url: string;
  readonly port: number;
  /** Ends every session and stops listening. Safe to call twice. */
  close(): Promise<void>;
}

interface Session {
  server: McpServer;
  transport: StreamableHTTPServerTransport;
  usedAt: number;
}

const MAX_SESSIONS = 100;
const IDLE_MS = 30 * 60_000;
const SWEEP_MS = 60_000;
const CAPABILITIES = { logging: {}, resources: { subscribe: true } };

/** Starts the sample MCP server `demo` on 127.0.0.1, on a free port unless told; rejects when the port is taken. */
export async function startDemoServer(options: { port?: number; clock?: Clock } = {}): Promise<DemoServer> {
  const sessions = new Sessions(options.clock ?? systemClock);
  const http = createServer((request, response) => {
    sessions.answer(request, response).catch(() => response.destroy()); // The socket is the only one left to tell.
  });
  http.listen(options.port ?? 0, '127.0.0.1');
  await once(http, 'listening');
  const sweeper = setInterval(() => sessions.sweep(), SWEEP_MS).unref();
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    close: async () => {
      if (!http.listening) return;
      clearInterval(sweeper);
      sessions.endAll();
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

class Sessions {
  private readonly open = new Map<string, Session>();

  constructor(private readonly clock: Clock) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLocal(request)) return void response.writeHead(403).end();
    this.sweep();
    const id = request.headers['mcp-session-id'];
    // Without an id it is a start, or something that the transport refuses with 400.
    const session = typeof id === 'string' ? this.open.get(id) : await this.start();
    if (session === undefined) return notFound(response);
    session.usedAt = this.clock.monotonicMs();
    await session.transport.handleRequest(request, response);
  }

  /** Ends what was idle for too long, and the longest idle ones above the limit. */
  sweep(): void {
    const oldestFirst = [...this.open].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    const tooMany = oldestFirst.length - MAX_SESSIONS;
    const deadline = this.clock.monotonicMs() - IDLE_MS;
    oldestFirst.forEach(([id, session], place) => {
      if (place < tooMany || session.usedAt < deadline) this.end(id);
    });
  }

  endAll(): void {
    [...this.open.keys()].forEach((id) => this.end(id));
  }

  private end(id: string): void {
    const session = this.open.get(id);
    this.open.delete(id);
    void session?.server.close();
  }

  private async start(): Promise<Session> {
    const server = new McpServer({ name: 'demo', version: '1.0.0' }, { capabilities: CAPABILITIES });
    addDemoTools(server);
    addDemoContents(server);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.open.set(id, session),
      onsessionclosed: (id) => this.end(id),
    });
    const session: Session = { server, transport, usedAt: this.clock.monotonicMs() };
    await server.connect(transport as Parameters<McpServer['connect']>[0]);
    return session;
  }
}

/** A web page of a foreign name may not reach a local server (DNS rebinding). */
function isLocal({ headers }: IncomingMessage): boolean {
  const local = /^(https?:\/\/)?(127\.0\.0\.1|localhost)(:\d+)?$/;
  return local.test(headers.host ?? '') && (headers.origin === undefined || local.test(headers.origin));
}

function notFound(response: ServerResponse): void {
  const error = { code: -32001, message: 'Session not found' };
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
}
