import type { ServerResponse } from 'node:http';
import { SSE_KEEP_ALIVE, writeSseEvent, type OutgoingSseEvent } from '@gatehouse/mcp';
import { LIMITS } from '../limits.js';

const HEAD = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** An event stream to a client: written at the client's pace, kept alive while nothing happens. */
export class ClientStream {
  bytes = 0;
  events = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly response: ServerResponse) {}

  /** Sends the head; a minted session id goes out with it. */
  open(sessionId: string | undefined): void {
    this.response.writeHead(200, sessionId === undefined ? HEAD : { ...HEAD, 'mcp-session-id': sessionId });
    this.response.flushHeaders();
    this.#timer = setInterval(() => this.response.write(SSE_KEEP_ALIVE), LIMITS.keepAliveMs).unref();
  }

  /** Whether the head is out. */
  get opened(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether the client left before the stream ended. */
  get gone(): boolean {
    return this.response.closed && !this.response.writableFinished;
  }

  /** Writes an event and waits while the client is slower than we are. */
  async send(event: OutgoingSseEvent): Promise<void> {
    const bytes = writeSseEvent(event);
    this.bytes += bytes.length;
    this.events += 1;
    this.#timer?.refresh();
    if (!this.response.write(bytes) && !this.response.closed) await drained(this.response);
  }

  /** Ends the stream in order. */
  end(): void {
    clearInterval(this.#timer);
    this.response.end();
  }
}

/** Resolves when the client has read on, or is gone. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
