import type { Destination } from '@gatehouse/outbound';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { parseServerMessage, type McpResponse } from '@gatehouse/mcp';
import { EventConnection, type ConnectionListener } from '../upstream-sse/event-connection.js';
import { challengeIn, type ProbeChannel } from './probe-channel.js';

const ANSWER_MS = 10_000;

interface Waiting {
  id: number;
  resolve: (response: McpResponse) => void;
  reject: (error: Error) => void;
}

/** HTTP+SSE of 2024-11-05: messages are posted where the event stream says, responses come as its events. */
export class EventsChannel implements ProbeChannel, ConnectionListener {
  readonly transport = 'sse';
  #connection: EventConnection | undefined;
  #waiting: Waiting | undefined;

  private constructor(private readonly headers: Readonly<Record<string, string>>) {}

  /** Opens the event stream; refuses with `upstream_refused` {status, challenge} and as the connection does. */
  static async open(destination: Destination, destinationAt: (url: string) => Destination, given: Readonly<Record<string, string>>): Promise<EventsChannel> {
    const channel = new EventsChannel({ ...given, 'user-agent': 'gatehouse' });
    const opened = await EventConnection.open({ destination, destinationAt, headers: channel.headers, openMs: ANSWER_MS }, channel);
    if ('refused' in opened) throw new Refusal('upstream_refused', { status: opened.refused.status, challenge: challengeIn(opened.refused.headers) });
    channel.#connection = opened.connection;
    return channel;
  }

  async ask(message: JsonObject & { id: number }): Promise<McpResponse> {
    const late = setTimeout(() => this.onEnd(new Refusal('upstream_timeout', { reason: 'headers' })), ANSWER_MS).unref();
    const response = new Promise<McpResponse>((resolve, reject) => (this.#waiting = { id: message.id, resolve, reject }));
    try {
      const [answered] = await Promise.all([response, this.tell(message)]);
      return answered;
    } finally {
      clearTimeout(late);
      this.#waiting = undefined;
    }
  }

  async tell(message: JsonObject): Promise<void> {
    const { status, headers } = await this.#connection!.post({ body: Buffer.from(JSON.stringify(message)), headers: this.headers }, ANSWER_MS);
    if (status >= 300) throw new Refusal('upstream_refused', { status, challenge: challengeIn(headers) });
  }

  // That transport has no header for it.
  agree(): void {}

  async close(): Promise<void> {
    this.#connection!.close(new Refusal('upstream_unreachable', { reason: 'closed' }));
  }

  onMessage(data: Buffer): void {
    const message = parseServerMessage(data);
    if (message.kind === 'response' && message.id === this.#waiting?.id) this.#waiting.resolve(message);
  }

  onEnd(refusal: Error): void {
    this.#waiting?.reject(refusal);
  }
}
