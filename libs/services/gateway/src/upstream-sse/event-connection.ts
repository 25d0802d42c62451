import type { IncomingHttpHeaders } from 'node:http';
import { asRefusalOrFault, Refusal } from '@gatehouse/kernel';
import { SseParser, type SseEvent } from '@gatehouse/mcp';
import type { Destination, HopTimes, SmallAnswer } from '@gatehouse/outbound';
import type { Dispatcher } from 'undici';
import { LIMITS } from '../limits.js';
import { endpointOf } from './endpoint.js';

/** What opening a connection needs. */
export interface ConnectionOrder {
  destination: Destination;
  /** Judges the address that the server names, as every address is judged. */
  destinationAt: (url: string) => Destination;
  headers: Readonly<Record<string, string>>;
  /** From the start to the `endpoint` event, connecting included. Milliseconds. */
  openMs: number;
}

/** One message with the headers it goes out with; nothing of them is kept. */
export interface PostedMessage {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Filled in while it is posted, where somebody wants to know. */
  readonly hops?: HopTimes | undefined;
}

/** What becomes of an open connection. */
export interface ConnectionListener {
  /** The data of one `message` event. A refusal thrown here ends the connection with it. */
  onMessage(data: Buffer): void;
  /** Once: nothing comes any more, and why. */
  onEnd(refusal: Error): void;
}

/** An open connection, or what the server answered instead of opening one. */
export type Opened = { readonly connection: EventConnection } | { readonly refused: SmallAnswer };

interface RefusedOpening {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly chunks: Buffer[];
  size: number;
}

const REFUSAL_BYTES = 64 * 1024;
const POST_ANSWER_BYTES = 64 * 1024;

/**
 * One connection of the transport HTTP+SSE (2024-11-05 basic/transports): a GET whose first event names
 * the address that messages are posted to, and whose further events are the server's messages.
 */
export class EventConnection implements Dispatcher.DispatchHandler {
  readonly #parser = new SseParser({ maxEventBytes: LIMITS.eventBytes });
  readonly #opened: Promise<Opened>;
  readonly #timer: NodeJS.Timeout;
  #settle!: { resolve: (opened: Opened) => void; reject: (error: Error) => void };
  #controller: Dispatcher.DispatchController | undefined;
  #endpoint: Destination | undefined;
  #failure: Error | undefined;
  #refused: RefusedOpening | undefined;
  #silentBytes = 0;

  private constructor(
    private readonly order: ConnectionOrder,
    private readonly listener: ConnectionListener,
  ) {
    this.#opened = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#timer = setTimeout(() => this.#end(new Refusal('upstream_timeout', { reason: 'endpoint' })), order.openMs).unref();
  }

  /**
   * Opens one and waits for its `endpoint`. Refuses as a destination does, and with `upstream_timeout`
   * {reason: endpoint}, `upstream_invalid` {reason: content_type | endpoint_origin | no_endpoint}.
   */
  static open(order: ConnectionOrder, listener: ConnectionListener): Promise<Opened> {
    const made = new EventConnection(order, listener);
    const { destination, headers, openMs } = order;
    destination.dispatch({ method: 'GET', headers: { ...headers, accept: 'text/event-stream' }, headersTimeoutMs: openMs, bodyTimeoutMs: 0 }, made);
    return made.#opened;
  }

  /** Whether nothing comes any more. */
  get isOver(): boolean {
    return this.#failure !== undefined;
  }

  /** The address that messages are posted to. */
  get endpoint(): string {
    return this.#endpoint!.url;
  }

  /** Sends one message; the answer to it comes as an event. Rejects as a destination does. */
  post({ body, headers, hops }: PostedMessage, timeoutMs: number): Promise<SmallAnswer> {
    const lines = { ...headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    return this.#endpoint!.fetchSmall({ method: 'POST', headers: lines, body, maxBytes: POST_ANSWER_BYTES, timeoutMs, hops });
  }

  /** Reads no further until `resume`: what is told to clients goes at their pace. */
  pause(): void {
    if (!this.isOver) this.#controller?.pause();
  }

  /** Reads on. */
  resume(): void {
    if (!this.isOver) this.#controller?.resume();
  }

  /** Ends it from our side; the listener hears of it once. */
  close(refusal: Refusal): void {
    this.#end(refusal);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status !== 200) this.#refused = { status, headers, chunks: [], size: 0 };
    else if (!isEventStream(headers)) this.#end(new Refusal('upstream_invalid', { reason: 'content_type' }));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isOver) return;
    if (this.#refused !== undefined) return this.#collect(this.#refused, chunk);
    try {
      this.#take(chunk);
    } catch (error) {
      this.#end(asRefusalOrFault(error));
    }
  }

  onResponseEnd(): void {
    const refused = this.#refused;
    if (refused === undefined) return this.#end(new Refusal('upstream_unreachable', { reason: 'closed' }));
    this.#settle.resolve({ refused: { status: refused.status, headers: refused.headers, body: Buffer.concat(refused.chunks) } });
    this.#end(new Refusal('upstream_refused', { status: refused.status }));
  }

  // A stream that breaks off has given no invalid answer: it is gone.
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#end(this.#endpoint === undefined ? error : new Refusal('upstream_unreachable', { reason: 'closed' }));
  }

  #collect(refused: RefusedOpening, chunk: Buffer): void {
    refused.size += chunk.length;
    if (refused.size > REFUSAL_BYTES) this.#end(new Refusal('upstream_too_large'));
    else refused.chunks.push(chunk);
  }

  #take(chunk: Buffer): void {
    const events = this.#parser.push(chunk);
    this.#silentBytes = events.length > 0 ? 0 : this.#silentBytes + chunk.length;
    if (this.#silentBytes > LIMITS.silentBytes) throw new Refusal('upstream_too_large');
    for (const event of events) if (!this.isOver) this.#event(event);
  }

  // What comes before the address belongs to no session; a second address would be another server's chance.
  #event({ event = 'message', data }: SseEvent): void {
    if (event === 'endpoint' && this.#endpoint === undefined) return this.#begin(data);
    if (event === 'message' && this.#endpoint !== undefined && data.length > 0) this.listener.onMessage(data);
  }

  #begin(data: Buffer): void {
    this.#endpoint = endpointOf(data, this.order.destination, this.order.destinationAt);
    clearTimeout(this.#timer);
    this.#settle.resolve({ connection: this });
  }

  #end(refusal: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = refusal;
    clearTimeout(this.#timer);
    if (this.#controller?.aborted === false) this.#controller.abort(refusal);
    this.#settle.reject(refusal);
    if (this.#endpoint !== undefined) this.listener.onEnd(refusal);
  }
}

function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.toLowerCase().startsWith('text/event-stream') === true;
}
