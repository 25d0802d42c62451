import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { rpcMethodOf, startRecordingServer, type RecordedRequest, type RequiredHeader, type Upstream } from '../recording-server.js';
import { MemoryEventStore } from './memory-event-store.js';
import { sessionServer } from './session-server.js';
import { freshStage, type Stage } from './stage.js';

/** The obedient upstream and what a test may do to it. */
export interface ConformanceUpstream extends Upstream {
  /** Sessions that are open. */
  sessions(): number;
  /** Forgets every session, as a restart would: their ids answer 404 from now on. */
  dropSessions(): Promise<void>;
  /** Changes a listed tool and says so on every GET stream, as a server that turns on its users would. */
  changeTool(name: string, changes: Partial<Tool>): Promise<void>;
  /** Says on every GET stream that the resource changed. */
  updateResource(uri: string): Promise<void>;
  /** What sessions did that a test can only see from inside. */
  readonly stage: Readonly<Stage>;
}

interface Session {
  server: Server;
  transport: StreamableHTTPServerTransport;
}

const RETRY_MS = 100;
const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * Starts an MCP server on the official SDK that passes every server scenario of the official
 * conformance suite alone, has the stories' tools besides, and records every request.
 */
export async function startConformanceUpstream(options: { requiredHeader?: RequiredHeader } = {}): Promise<ConformanceUpstream> {
  const house = new SessionHouse();
  const upstream = await startRecordingServer(
    (recorded, response, request) => void house.answer(recorded, response, request),
    options,
  );
  return {
    ...upstream,
    sessions: () => house.sessions.size,
    dropSessions: () => house.drop(),
    changeTool: async (name, changes) => {
      house.stage.toolChanges.set(name, changes);
      await house.each((server) => server.sendToolListChanged());
    },
    updateResource: (uri) => house.each((server) => server.sendResourceUpdated({ uri })),
    stage: house.stage,
    close: async () => {
      await house.drop();
      await upstream.close();
    },
  };
}

class SessionHouse {
  readonly sessions = new Map<string, Session>();
  readonly stage = freshStage();

  async answer(recorded: RecordedRequest, response: ServerResponse, request: IncomingMessage): Promise<void> {
    if (!isLocal(recorded)) return refuse(response, 403, -32000, 'Only local names are answered here');
    if (recorded.method === 'POST' && recorded.json === undefined) return refuse(response, 400, -32700, 'Parse error');
    const session = await this.sessionFor(recorded);
    if (session === undefined) return refuse(response, 404, -32001, 'Session not found');
    await session.transport.handleRequest(request, response, recorded.json);
  }

  async each(act: (server: Server) => Promise<void>): Promise<void> {
    await Promise.all([...this.sessions.values()].map(({ server }) => act(server)));
  }

  async drop(): Promise<void> {
    const open = [...this.sessions.values()];
    this.sessions.clear();
    await Promise.all(open.map(({ server }) => server.close()));
  }

  private async sessionFor({ headers, json }: RecordedRequest): Promise<Session | undefined> {
    const id = headers['mcp-session-id'];
    if (typeof id === 'string') return this.sessions.get(id);
    // The transport itself answers 400 to what is neither in a session nor the start of one.
    return this.open(rpcMethodOf(json) === 'initialize');
  }

  private async open(keep: boolean): Promise<Session> {
    const server = sessionServer(this.stage);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new MemoryEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => void (keep && this.sessions.set(id, session)),
      onsessionclosed: (id) => void this.sessions.delete(id),
    });
    const session = { server, transport };
    await server.connect(transport as Parameters<Server['connect']>[0]);
    return session;
  }
}

/** DNS rebinding: a page of a foreign name may not reach a local server (GHSA-w48q-cv73-mx4w). */
function isLocal({ headers }: RecordedRequest): boolean {
  const origin = headers.origin;
  return LOCAL_HOST.test(headers.host ?? '') && (origin === undefined || LOCAL_HOST.test(origin.replace(/^https?:\/\//, '')));
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }));
}
