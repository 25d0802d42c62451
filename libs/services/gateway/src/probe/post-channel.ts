import type { Destination, SmallAnswer } from '@gatehouse/outbound';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import type { McpResponse } from '@gatehouse/mcp';
import { responseIn } from '../sessions/response-in.js';
import { challengeIn, type ProbeChannel } from './probe-channel.js';

const ANSWER_BYTES = 8 * 1024 * 1024;
const ANSWER_MS = 10_000;

/** Streamable HTTP: every message is a POST, its response the answer. */
export class PostChannel implements ProbeChannel {
  readonly transport = 'streamable-http';
  #session: string | undefined;
  #version: string | undefined;

  /** `headers` are the server's own and those of an identity, if there is one; a `postOnly` server is left without a word. */
  constructor(
    private readonly destination: Destination,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly postOnly: boolean,
  ) {}

  async ask(message: JsonObject & { id: number }): Promise<McpResponse> {
    return responseIn(await this.#post(message), message.id, ANSWER_BYTES);
  }

  async tell(message: JsonObject): Promise<void> {
    await this.#post(message);
  }

  agree(protocolVersion: string): void {
    this.#version = protocolVersion;
  }

  async close(): Promise<void> {
    if (this.#session === undefined || this.postOnly) return;
    const request = { method: 'DELETE', headers: this.#lines(), maxBytes: ANSWER_BYTES, timeoutMs: ANSWER_MS } as const;
    await this.destination.fetchSmall(request).catch((error: unknown) => error);
  }

  async #post(message: JsonObject): Promise<SmallAnswer> {
    const answer = await this.destination.fetchSmall({
      method: 'POST',
      headers: { ...this.#lines(), 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(message)),
      maxBytes: ANSWER_BYTES,
      timeoutMs: ANSWER_MS,
    });
    if (answer.status >= 300) throw new Refusal('upstream_refused', { status: answer.status, challenge: challengeIn(answer.headers) });
    const session = answer.headers['mcp-session-id'];
    if (typeof session === 'string') this.#session = session;
    return answer;
  }

  #lines(): Record<string, string> {
    return {
      ...this.headers,
      'user-agent': 'gatehouse',
      accept: 'application/json, text/event-stream',
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#version === undefined ? {} : { 'mcp-protocol-version': this.#version }),
    };
  }
}
