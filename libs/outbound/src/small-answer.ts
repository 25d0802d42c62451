import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Dispatcher } from 'undici';

/** A whole answer, held in memory. */
export interface SmallAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The bounds of a whole answer. */
export interface SmallAnswerLimits {
  maxBytes: number;
  /** From the call to the last byte, connecting included. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Collects an answer up to a size and within a time; refuses with `upstream_too_large` and `upstream_timeout`. */
export class SmallAnswerHandler implements Dispatcher.DispatchHandler {
  readonly answer: Promise<SmallAnswer>;
  private settle!: { resolve: (answer: SmallAnswer) => void; reject: (error: Error) => void };
  private controller: Dispatcher.DispatchController | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private status = 0;
  private headers: IncomingHttpHeaders = {};
  private failure: Refusal | undefined;

  constructor(private readonly limits: SmallAnswerLimits) {
    this.answer = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.timer = setTimeout(() => this.fail(new Refusal('upstream_timeout', { reason: 'total' })), limits.timeoutMs);
    limits.signal?.addEventListener('abort', this.onAbort, { once: true });
    if (limits.signal?.aborted === true) this.onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // Given up while the connection was still being made: nothing may be sent now.
    if (this.failure !== undefined) controller.abort(this.failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.headers = headers;
    if (Number(headers['content-length'] ?? 0) > this.limits.maxBytes) this.fail(tooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.limits.maxBytes) this.fail(tooLarge());
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.release();
    this.settle.resolve({ status: this.status, headers: this.headers, body: Buffer.concat(this.chunks, this.size) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.release();
    this.settle.reject(error);
  }

  private readonly onAbort = (): void => this.fail(new Refusal('upstream_unreachable', { reason: 'aborted' }));

  private fail(refusal: Refusal): void {
    this.failure ??= refusal;
    this.release();
    this.settle.reject(this.failure);
    this.controller?.abort(this.failure);
  }

  private release(): void {
    clearTimeout(this.timer);
    this.limits.signal?.removeEventListener('abort', this.onAbort);
  }
}

function tooLarge(): Refusal {
  return new Refusal('upstream_too_large', { reason: 'body' });
}
