import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { startRecordingServer, type RecordedRequest, type RequiredHeader, type Upstream } from './recording-server.js';

/** How the HTTP+SSE server is. */
export interface HttpSseUpstreamOptions {
  requiredHeader?: RequiredHeader;
  /** Answers `initialize` with this version, as servers of that time do; else with the client's. */
  protocolVersion?: string;
}

/** An MCP server of the transport HTTP+SSE (2024-11-05), with the official SDK's own transport. */
export interface HttpSseUpstream extends Upstream {
  /** Event streams that are open. */
  connections(): number;
  /** Wants this header from now on. */
  require(header: RequiredHeader): void;
  /** Sends a notification on every open stream. */
  notify(method: string): Promise<void>;
  /** Cuts every open stream and forgets its session. */
  cut(): void;
  /** Forgets every session but keeps the streams open. */
  forgetSessions(): void;
}

const MESSAGES = '/messages';

/**
 * Starts one: GET opens a session, messages are posted to `/messages`, a POST to the endpoint itself is
 * answered 405. Tools: `echo` {text}, `wait` {ms}, `ask` (asks the client's model), `count` {to} (tells
 * progress), `log` (sends a log message before it answers).
 */
export async function startHttpSseUpstream(options: HttpSseUpstreamOptions = {}): Promise<HttpSseUpstream> {
  const sessions = new Map<string, Session>();
  const streams = new Set<ServerResponse>();
  const open = async (response: ServerResponse): Promise<void> => {
    const session = await Session.open(response, options);
    sessions.set(session.id, session);
    streams.add(response);
    response.on('close', () => {
      streams.delete(response);
      sessions.delete(session.id);
    });
  };
  const answer = (recorded: RecordedRequest, response: ServerResponse, request: IncomingMessage): void => {
    const { pathname, searchParams } = new URL(recorded.path, 'http://upstream');
    if (recorded.method === 'GET') return void open(response);
    if (pathname !== MESSAGES) return void response.writeHead(405, { allow: 'GET' }).end();
    const session = sessions.get(searchParams.get('sessionId') ?? '');
    if (session === undefined) response.writeHead(404).end('no such session');
    else void session.transport.handlePostMessage(request, response, recorded.json);
  };
  const recording = { requiredHeader: options.requiredHeader };
  const upstream = await startRecordingServer(answer, recording);
  return {
    ...upstream,
    connections: () => streams.size,
    require: (header) => void (recording.requiredHeader = header),
    notify: async (method) => void (await Promise.all([...sessions.values()].map(({ transport }) => transport.send({ jsonrpc: '2.0', method })))),
    cut: () => streams.forEach((response) => void response.destroy()),
    forgetSessions: () => sessions.clear(),
  };
}

class Session {
  private constructor(
    readonly id: string,
    readonly transport: SSEServerTransport,
  ) {}

  static async open(response: ServerResponse, { protocolVersion }: HttpSseUpstreamOptions): Promise<Session> {
    const transport = new SSEServerTransport(MESSAGES, response);
    const send = transport.send.bind(transport);
    transport.send = (message) => send(protocolVersion === undefined ? message : withVersion(message, protocolVersion));
    await toolServer().connect(transport);
    return new Session(transport.sessionId, transport);
  }
}

function withVersion(message: JSONRPCMessage, protocolVersion: string): JSONRPCMessage {
  const isInitialized = 'result' in message && 'protocolVersion' in message.result;
  return isInitialized ? { ...message, result: { ...message.result, protocolVersion } } : message;
}

const text = (said: string): { content: { type: 'text'; text: string }[] } => ({ content: [{ type: 'text', text: said }] });

function toolServer(): McpServer {
  const server = new McpServer({ name: 'http-sse-upstream', version: '1.0.0' }, { capabilities: { logging: {}, tools: { listChanged: true } } });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('wait', { inputSchema: { ms: z.number() } }, async ({ ms }) => {
    await sleep(ms);
    return text(`waited ${ms}`);
  });
  server.registerTool('ask', {}, async () => {
    const said = await server.server.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'well?' } }], maxTokens: 10 });
    return text(JSON.stringify(said.content));
  });
  server.registerTool('log', {}, async () => {
    await server.server.sendLoggingMessage({ level: 'info', data: 'on the way' });
    return text('logged');
  });
  registerCount(server);
  return server;
}

function registerCount(server: McpServer): void {
  server.registerTool('count', { inputSchema: { to: z.number() } }, async ({ to }, { _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken;
    if (progressToken === undefined) return text('nobody asked how far it is');
    for (let progress = 1; progress <= to; progress++) await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: to } });
    return text(`counted to ${to}`);
  });
}
