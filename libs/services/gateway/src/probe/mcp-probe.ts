import type { Destination, SmallAnswer } from '@gatehouse/outbound';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import { isSupported, parseServerMessage, SseParser, SUPPORTED_VERSIONS } from '@gatehouse/mcp';

/** What a server said of itself when a probe opened a session. */
export interface ProbedSession {
  protocolVersion: string;
  serverInfo: { name: string; version: string };
  capabilities: JsonObject;
}

const ANSWER_BYTES = 8 * 1024 * 1024;
const ANSWER_MS = 10_000;
const TEXT_CHARS = 200;

/**
 * A minimal client of the session era that only looks: it opens a session, lists, and leaves. Raw JSON
 * instead of the SDK's client, because the SDK drops members it does not know and the fingerprint of a
 * definition must cover all of them (ADR 0003).
 */
export class McpProbe {
  #id = 0;
  #session: string | undefined;
  #version: string | undefined;

  /** `credential` are header lines of the caller-independent identity, if there is one; a `postOnly` server is left without a word. */
  constructor(
    private readonly destination: Destination,
    private readonly credential: Readonly<Record<string, string>>,
    private readonly postOnly = false,
  ) {}

  /** Opens a session; refuses as the destination does, and `upstream_invalid` for what is no MCP server. */
  async open(): Promise<ProbedSession> {
    const result = await this.request('initialize', {
      protocolVersion: SUPPORTED_VERSIONS[0],
      capabilities: {},
      clientInfo: { name: 'gatehouse', version: '0.1.0' },
    });
    const version = result['protocolVersion'];
    if (typeof version !== 'string' || !isSupported(version)) throw new Refusal('upstream_invalid', { reason: 'protocol_version' });
    this.#version = version;
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const info = isJsonObject(result['serverInfo']) ? result['serverInfo'] : {};
    return {
      protocolVersion: version,
      serverInfo: { name: text(info['name']), version: text(info['version']) },
      capabilities: isJsonObject(result['capabilities']) ? result['capabilities'] : {},
    };
  }

  /** One request; the result, or a refusal `upstream_refused` {rpcCode}. */
  async request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = ++this.#id;
    const answer = await this.#post({ jsonrpc: '2.0', id, method, params });
    const response = responseIn(answer, id);
    if (response.error !== undefined) throw new Refusal('upstream_refused', { rpcCode: Number(response.error['code']) });
    if (!isJsonObject(response.result)) throw new Refusal('upstream_invalid', { reason: 'result_no_object' });
    return response.result;
  }

  /** Leaves; a server that does not care is fine. */
  async close(): Promise<void> {
    if (this.#session === undefined || this.postOnly) return;
    const request = { method: 'DELETE', headers: this.#headers(), maxBytes: ANSWER_BYTES, timeoutMs: ANSWER_MS } as const;
    await this.destination.fetchSmall(request).catch((error: unknown) => error);
  }

  async #post(message: JsonObject): Promise<SmallAnswer> {
    const answer = await this.destination.fetchSmall({
      method: 'POST',
      headers: { ...this.#headers(), 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(message)),
      maxBytes: ANSWER_BYTES,
      timeoutMs: ANSWER_MS,
    });
    if (answer.status >= 300) throw new Refusal('upstream_refused', { status: answer.status });
    const session = answer.headers['mcp-session-id'];
    if (typeof session === 'string') this.#session = session;
    return answer;
  }

  #headers(): Record<string, string> {
    return {
      ...this.credential,
      'user-agent': 'gatehouse',
      accept: 'application/json, text/event-stream',
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#version === undefined ? {} : { 'mcp-protocol-version': this.#version }),
    };
  }
}

function responseIn(answer: SmallAnswer, id: number): { result?: unknown; error?: JsonObject } {
  for (const data of messagesOf(answer)) {
    const message = parseServerMessage(data);
    if (message.kind === 'response' && message.id === id) return message;
  }
  throw new Refusal('upstream_invalid', { reason: 'no_response' });
}

function messagesOf({ headers, body }: SmallAnswer): Buffer[] {
  const type = String(headers['content-type'] ?? '').toLowerCase();
  if (type.startsWith('application/json')) return [body];
  if (!type.startsWith('text/event-stream')) throw new Refusal('upstream_invalid', { reason: 'content_type' });
  const events = new SseParser({ maxEventBytes: ANSWER_BYTES }).push(body);
  return events.map((event) => event.data).filter((data) => data.length > 0);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, TEXT_CHARS) : '';
}
