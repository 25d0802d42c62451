import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Dispatcher } from 'undici';
import { UpstreamBody } from './upstream-body.js';

/** What an upstream answered: whole when it is small, a stream when it is not or may never end. */
export type Answer =
  | { readonly kind: 'whole'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  | { readonly kind: 'json'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: UpstreamBody }
  | { readonly kind: 'events'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: UpstreamBody };

/**
 * One request to an upstream as undici's handler sees it. A JSON answer is collected up to
 * `wholeAnswerBytes` (one write with a length is cheaper than many, and its envelope can be checked
 * before the first byte goes out); beyond that, and for event streams, the body is handed on as it comes.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  #resolve!: (answer: Answer) => void;
  #reject!: (refusal: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Refusal | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #body: UpstreamBody | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  /**
   * `wholeBytes`: up to which size a JSON answer is held; `mayStream`: whether a longer one may be handed
   * on as it comes, which what is rewritten (lists) and what has no body (notifications) may not.
   */
  constructor(
    private readonly wholeBytes: number,
    private readonly mayStream: boolean,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Ends the exchange when nothing has begun to arrive after `ms`: undici's own limit does not count waiting for a connection. */
  expectHeadWithin(ms: number): void {
    this.#headTimer = setTimeout(() => this.abort(new Refusal('upstream_timeout', { reason: 'headers' })), ms).unref();
  }

  /** Ends the exchange from our side: nothing more is read, the connection is closed. */
  abort(refusal: Refusal): void {
    this.#aborted = refusal;
    clearTimeout(this.#headTimer);
    if (this.#controller !== undefined && !this.#controller.aborted) this.#controller.abort(refusal);
    // Still waiting for a connection: nobody else will say that it is over.
    if (this.#controller === undefined) this.#reject(refusal);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    clearTimeout(this.#headTimer);
    this.#status = status;
    this.#headers = headers;
    if (mediaType(headers) !== 'text/event-stream' || status !== 200) return;
    this.#body = new UpstreamBody(controller);
    this.#resolve({ kind: 'events', status, headers, body: this.#body });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body !== undefined) return this.#body.push(chunk);
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    if (this.#size > this.wholeBytes) this.#stream(controller);
  }

  onResponseEnd(): void {
    if (this.#body !== undefined) return this.#body.end();
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#size);
    this.#resolve({ kind: 'whole', status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    clearTimeout(this.#headTimer);
    const refusal = this.#aborted ?? error;
    if (this.#body !== undefined) this.#body.fail(refusal);
    else this.#reject(refusal);
  }

  #stream(controller: Dispatcher.DispatchController): void {
    if (!this.mayStream || this.#status !== 200) return this.abort(new Refusal('upstream_too_large'));
    this.#body = new UpstreamBody(controller);
    for (const chunk of this.#chunks) this.#body.push(chunk);
    this.#chunks = [];
    this.#resolve({ kind: 'json', status: this.#status, headers: this.#headers, body: this.#body });
  }
}

/** The media type of an answer, lower case, without parameters. */
export function mediaType(headers: IncomingHttpHeaders): string {
  const type = headers['content-type'] ?? '';
  const end = type.indexOf(';');
  return (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
}
