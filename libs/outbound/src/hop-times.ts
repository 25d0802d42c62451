import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { timesOfConnection } from './connection-times.js';

/** Undici names the socket here and nowhere else; it costs nothing while nobody listens. */
const HEADERS_SENT = 'undici:client:sendHeaders';

let listening = 0;
/** Whose head is being written: undici starts a request and tells of its head in one go. */
let starting: HopTimes | undefined;

function onHeadersSent(message: unknown): void {
  const { socket } = message as { socket?: unknown };
  const times = starting;
  starting = undefined;
  if (socket instanceof Socket) times?.sentOver(socket);
}

/**
 * What one request took on its way outside: milliseconds since it was handed over, filled in while it
 * goes. Of one that was handed over again (a retry) the last try stands.
 */
export class HopTimes {
  /** `none` until a connection took the request. The three times of a connection are told for new ones only. */
  connection: 'none' | 'new' | 'reused' = 'none';
  dns: number | undefined;
  connect: number | undefined;
  tls: number | undefined;
  /** Until the head of the answer. */
  firstByte: number | undefined;
  /** Until its last byte, or until it broke off. */
  end: number | undefined;
  status: number | undefined;
  /** Of the bodies. */
  bytesUp = 0;
  bytesDown = 0;
  #began = 0;
  #open = false;

  /** The handler that notes the times and hands everything on to another. */
  watch(inner: Dispatcher.DispatchHandler, body: Buffer | null | undefined): Dispatcher.DispatchHandler {
    if (!this.#open && listening++ === 0) subscribe(HEADERS_SENT, onHeadersSent);
    [this.#open, this.#began, this.bytesUp] = [true, performance.now(), body?.length ?? 0];
    [this.connection, this.dns, this.connect, this.tls] = ['none', undefined, undefined, undefined];
    [this.firstByte, this.end, this.status, this.bytesDown] = [undefined, undefined, undefined, 0];
    return new WatchedHandler(inner, this);
  }

  /** The request is about to be written. */
  start(): void {
    starting = this;
  }

  /** It went over this connection. */
  sentOver(socket: Socket): void {
    const times = timesOfConnection(socket);
    const isNew = times !== undefined && times.readyAt >= this.#began;
    this.connection = isNew ? 'new' : 'reused';
    if (isNew) [this.dns, this.connect, this.tls] = [times.dns, times.connect, times.tls];
  }

  /** The head of the answer is here. */
  head(status: number): void {
    this.status = status;
    this.firstByte = performance.now() - this.#began;
  }

  /** Nothing more comes. */
  over(): void {
    if (!this.#open) return;
    this.#open = false;
    this.end = performance.now() - this.#began;
    if (--listening === 0) unsubscribe(HEADERS_SENT, onHeadersSent);
    if (starting === this) starting = undefined;
  }
}

class WatchedHandler implements Dispatcher.DispatchHandler {
  constructor(
    private readonly inner: Dispatcher.DispatchHandler,
    private readonly times: HopTimes,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.times.start();
    this.inner.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, message?: string): void {
    if (status >= 200) this.times.head(status);
    this.inner.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.times.bytesDown += chunk.length;
    this.inner.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.times.over();
    this.inner.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.times.over();
    this.inner.onResponseError?.(controller, error);
  }
}
