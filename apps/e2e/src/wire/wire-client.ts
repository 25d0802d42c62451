import type { World } from '../world/world.js';

/** An answer of an MCP endpoint as it came: every message of its body, be it JSON or events. */
export interface WireAnswer {
  status: number;
  headers: Headers;
  messages: any[];
}

/** How one request differs from the client's others. */
export interface Sending {
  /** Which edge gets it; the first unless told. */
  edge?: number;
  headers?: Record<string, string>;
  /** The session it names instead of the client's own; `null` for none. */
  session?: string | null;
  signal?: AbortSignal;
}

const INFO = { clientInfo: { name: 'wire', version: '1' } };

/** Speaks MCP by hand, for what the official clients would not send. */
export class WireClient {
  sessionId: string | null = null;
  #ids = 0;

  constructor(
    private readonly world: World,
    readonly server: string,
    readonly token: string = world.adminToken,
  ) {}

  /** Opens a session and keeps its id. */
  async initialize(protocolVersion = '2025-11-25', sending: Sending = {}): Promise<WireAnswer> {
    const answer = await this.request('initialize', { protocolVersion, capabilities: {}, ...INFO }, { session: null, ...sending });
    this.sessionId = answer.headers.get('mcp-session-id') ?? this.sessionId;
    return answer;
  }

  /** Sends a request under an id of its own. */
  request(method: string, params: object = {}, sending: Sending = {}): Promise<WireAnswer> {
    return this.post({ jsonrpc: '2.0', id: ++this.#ids, method, params }, sending);
  }

  /** Calls a tool. */
  call(name: string, args: object = {}, sending: Sending = {}): Promise<WireAnswer> {
    return this.request('tools/call', { name, arguments: args }, sending);
  }

  /** Posts anything and reads the whole answer. */
  async post(body: unknown, sending: Sending = {}): Promise<WireAnswer> {
    const answer = await this.send('POST', sending, JSON.stringify(body));
    return { status: answer.status, headers: answer.headers, messages: messagesOf(answer, await answer.text()) };
  }

  /** Ends the session. */
  async end(sending: Sending = {}): Promise<number> {
    const answer = await this.send('DELETE', sending);
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Opens the GET stream; the caller reads it or cancels it. */
  listen(sending: Sending = {}): Promise<Response> {
    return this.send('GET', { ...sending, headers: { accept: 'text/event-stream', ...sending.headers } });
  }

  private send(method: string, { edge = 0, headers = {}, session = this.sessionId, signal }: Sending, body?: string): Promise<Response> {
    return fetch(`${this.world.edges[edge % this.world.edges.length]}/mcp/${this.server}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        accept: 'application/json, text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(session === null ? {} : { 'mcp-session-id': session }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function messagesOf(answer: Response, text: string): any[] {
  if (text === '') return [];
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)];
  const data = text.split('\n').filter((line) => line.startsWith('data:'));
  return data.map((line) => line.slice('data:'.length).trim()).filter((each) => each !== '').map((each) => JSON.parse(each));
}
