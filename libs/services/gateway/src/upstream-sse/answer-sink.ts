import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import { writeSseEvent } from '@gatehouse/mcp';
import type { SmallAnswer } from '@gatehouse/outbound';
import type { Answer } from '../pipeline/exchange.js';
import { UpstreamBody, type BodyControl } from '../pipeline/upstream-body.js';

/** How long is waited: for the first sign of an answer, and in silence after that; milliseconds, 0 for ever. */
export interface SinkPatience {
  readonly headMs: number;
  readonly silenceMs: number;
}

/** What a sink asks of the session it belongs to. */
export interface SinkHost {
  /** Reading stops while any sink asks for it. */
  pause(sink: AnswerSink): void;
  resume(sink: AnswerSink): void;
  /** The sink takes nothing more. */
  done(sink: AnswerSink): void;
}

const JSON_ANSWER: IncomingHttpHeaders = { 'content-type': 'application/json' };
const EVENTS_ANSWER: IncomingHttpHeaders = { 'content-type': 'text/event-stream' };

/**
 * One answer, gathered from the events of a connection that many share, in the shape in which an
 * upstream of streamable HTTP would have given it: JSON when the response is all there is, an event stream
 * when something came before it.
 */
export class AnswerSink implements BodyControl {
  readonly answer: Promise<Answer>;
  paused = false;
  aborted = false;
  #settle!: { resolve: (answer: Answer) => void; reject: (error: Error) => void };
  #body: UpstreamBody | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    private readonly host: SinkHost,
    private readonly patience: SinkPatience,
  ) {
    this.answer = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#wait(patience.headMs, 'headers');
  }

  /** Answers as an event stream from now on. */
  begin(): void {
    if (this.#body !== undefined) return;
    this.#body = new UpstreamBody(this);
    this.#settle.resolve({ kind: 'events', status: 200, headers: EVENTS_ANSWER, body: this.#body });
  }

  /** Takes a message that stands before the response, or on a stream that has none. */
  push(data: Buffer): void {
    if (this.#isOver) return;
    this.begin();
    this.#body!.push(writeSseEvent({ data }));
    this.#wait(this.patience.silenceMs, 'body');
  }

  /** Takes the response. */
  respond(data: Buffer): void {
    if (this.#body === undefined) this.#settle.resolve({ kind: 'whole', status: 200, headers: JSON_ANSWER, body: data });
    else this.#body.push(writeSseEvent({ data }));
    this.end();
  }

  /** Nothing more comes, and that is in order. */
  end(): void {
    this.#over();
    this.#body?.end();
  }

  /** The message itself was answered with a refusal, so no response comes. */
  refused({ status, headers, body }: SmallAnswer): void {
    if (this.#body !== undefined) return this.fail(new Refusal('upstream_refused', { status }));
    this.#settle.resolve({ kind: 'whole', status, headers, body });
    this.#over();
  }

  /** No response comes. */
  fail(refusal: Error): void {
    if (this.#isOver) return;
    this.#over();
    if (this.#body === undefined) this.#settle.reject(refusal);
    else this.#body.fail(refusal);
  }

  pause(): void {
    this.paused = true;
    if (!this.#isOver) this.host.pause(this);
  }

  resume(): void {
    this.paused = false;
    this.host.resume(this);
  }

  /** Whoever reads the answer wants no more of it. */
  abort(reason: Error): void {
    this.aborted = true;
    this.fail(reason);
  }

  #wait(ms: number, reason: string): void {
    clearTimeout(this.#timer);
    if (ms > 0) this.#timer = setTimeout(() => this.fail(new Refusal('upstream_timeout', { reason })), ms).unref();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.host.done(this);
  }
}
