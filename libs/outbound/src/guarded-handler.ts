import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { failureOf, invalidAnswer } from './failure.js';

const MAX_INFORMATIONAL = 8;
const MAX_RAW_HEADERS = 128 * 2;

/**
 * Stands before the caller's handler: swallows informational answers (a few; a flood is refused),
 * refuses encoded bodies (decompression bombs: `identity` was asked for) and header floods, and
 * turns every failure into a refusal.
 */
export class GuardedHandler implements Dispatcher.DispatchHandler {
  private informational = 0;
  private started = false;

  constructor(private readonly inner: Dispatcher.DispatchHandler) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.inner.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    message?: string,
  ): void {
    if (status < 200) return this.countInformational(controller);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') return controller.abort(invalidAnswer('encoded'));
    if (isFlood(controller.rawHeaders)) return controller.abort(invalidAnswer('headers'));
    this.started = true;
    this.inner.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.inner.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.inner.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController | undefined, error: Error): void {
    // undici's types promise a controller where no connection was made, too.
    this.inner.onResponseError?.(controller as Dispatcher.DispatchController, failureOf(error, this.started));
  }

  private countInformational(controller: Dispatcher.DispatchController): void {
    this.informational += 1;
    if (this.informational > MAX_INFORMATIONAL) controller.abort(invalidAnswer('informational'));
  }
}

/** Names and values of the raw headers stand in one flat list. */
function isFlood(rawHeaders: unknown): boolean {
  return Array.isArray(rawHeaders) && rawHeaders.length > MAX_RAW_HEADERS;
}
