import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Dispatcher } from 'undici';

/** A request as a stamp sees it. */
export interface StampedRequest {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  /** The URL without its query. */
  readonly address: string;
  /** Names in lower case where they matter to a stamp. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** The head of an answer, as a stamp hears of it. */
export interface HeardAnswer {
  readonly origin: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** A header that requests get as they are sent, over exactly what is sent. */
export interface Stamp {
  /** Lower case. A request that brings the header itself is sent with that one. */
  readonly header: string;
  /** The value; undefined for a request that gets none. Refuses when there can be none, and then nothing is sent. */
  value(request: StampedRequest): string | undefined;
  /** Told of every answer to a request that it stamped. True: the stamp was refused, not the request, and another one will do. */
  heard?(answer: HeardAnswer): boolean;
}

/** Who hears of an answer, and how the request is sent once more; not at all when it was already. */
export interface StampedSending {
  readonly stamps: readonly Stamp[];
  readonly origin: string;
  readonly again: (() => void) | undefined;
}

const REFUSAL_BYTES = 64 * 1024;

/** Stands before the caller's handler: an answer that only says that the stamp was not good is read to its end and forgotten. */
export class StampedHandler implements Dispatcher.DispatchHandler {
  #isForgotten = false;
  #size = 0;

  constructor(
    private readonly inner: Dispatcher.DispatchHandler,
    private readonly sending: StampedSending,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.inner.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, message?: string): void {
    const { stamps, origin, again } = this.sending;
    const isRefused = stamps.filter((stamp) => stamp.heard?.({ origin, status, headers }) === true).length > 0;
    this.#isForgotten = isRefused && again !== undefined;
    if (!this.#isForgotten) this.inner.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isForgotten) return this.inner.onResponseData?.(controller, chunk);
    this.#size += chunk.length;
    if (this.#size > REFUSAL_BYTES) controller.abort(new Refusal('upstream_too_large'));
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#isForgotten) this.sending.again!();
    else this.inner.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.inner.onResponseError?.(controller, error);
  }
}
