import { Refusal } from '@gatehouse/kernel';
import { parseServerMessage, type McpNotification, type McpRequest, type RequestId } from '@gatehouse/mcp';
import type { SmallAnswer } from '@gatehouse/outbound';
import type { Answer } from '../pipeline/exchange.js';
import type { AnswerAddress } from './asked-elsewhere.js';
import { AnswerSink, type SinkHost, type SinkPatience } from './answer-sink.js';
import { EventConnection, type ConnectionListener, type ConnectionOrder, type PostedMessage } from './event-connection.js';
import { Questions } from './questions.js';
import { UnaskedMessages } from './unasked-messages.js';

/** A request: what its answer is known by. */
export interface OutgoingRequest extends PostedMessage {
  readonly id: RequestId;
  readonly progressToken: RequestId | undefined;
  /** False for `initialize`: nothing else may stand in its answer. */
  readonly takesUnasked: boolean;
}

/** What a session tells of itself. */
export interface SessionEvents {
  /** It asks its client something: under which name, where the answer goes and under which id. */
  onAsked(name: string, address: AnswerAddress): void;
  /** Nothing can be sent any more. */
  onOver(): void;
}

interface Call {
  readonly sink: AnswerSink;
  readonly request: OutgoingRequest;
}

const GONE = 404;

/**
 * A session at an HTTP+SSE server: one connection, of one client. What arrives is told apart by id: a response
 * goes to the request it answers, everything else to the client's open stream, to a call in flight when
 * there is none, and is kept for a while when there is neither.
 */
export class SseSession implements ConnectionListener, SinkHost {
  readonly #calls = new Map<string, Call>();
  readonly #unasked = new UnaskedMessages();
  readonly #questions = new Questions();
  readonly #pausing = new Set<AnswerSink>();
  #connection: EventConnection | undefined;
  #stream: AnswerSink | undefined;
  #initialized: Promise<Answer> | undefined;

  private constructor(
    private readonly patience: SinkPatience,
    private readonly events: SessionEvents,
  ) {}

  /** Opens the connection; what the server answered instead, when it opened none. Refuses as `EventConnection.open`. */
  static async open(order: ConnectionOrder, patience: SinkPatience, events: SessionEvents): Promise<SseSession | SmallAnswer> {
    const session = new SseSession(patience, events);
    const opened = await EventConnection.open(order, session);
    if ('refused' in opened) return opened.refused;
    session.#connection = opened.connection;
    return session;
  }

  /** Whether nothing can be sent any more. */
  get isOver(): boolean {
    return this.#connection?.isOver !== false;
  }

  /** Whether nobody waits for anything. */
  get isIdle(): boolean {
    return this.#calls.size === 0 && this.#stream === undefined;
  }

  /** Sends a request; refuses with `bad_request` {reason: id_in_use}. `onSink` gets what ends the waiting from outside. */
  request(request: OutgoingRequest, onSink?: (sink: AnswerSink) => void): Promise<Answer> {
    const key = JSON.stringify(request.id);
    if (this.#calls.has(key)) throw new Refusal('bad_request', { reason: 'id_in_use' });
    const sink = new AnswerSink(this, this.patience);
    this.#calls.set(key, { sink, request });
    onSink?.(sink);
    this.#post(request).then(
      (answer) => answer.status >= 300 && sink.refused(answer),
      (error: Error) => sink.fail(error),
    );
    return sink.answer;
  }

  /** Sends a message that has no answer; the server's verdict on the message itself. */
  async tell(message: PostedMessage): Promise<Answer> {
    return { kind: 'whole', ...(await this.#post(message)) };
  }

  /** Tells the server that the session is initialized, unless it knows; whoever asks waits until it was told. */
  initialized(message: PostedMessage): Promise<Answer> {
    return (this.#initialized ??= this.#tellInitialized(message));
  }

  /** The id under which the server waits for the answer to a request that the client knows by this name, once. */
  asked(name: RequestId): RequestId | undefined {
    return this.#questions.take(name);
  }

  /** The client's open stream; the one before, whose client may be long gone, ends. */
  listen(onSink?: (sink: AnswerSink) => void): Promise<Answer> {
    this.#stream?.end();
    const sink = new AnswerSink(this, { headMs: 0, silenceMs: 0 });
    this.#stream = sink;
    onSink?.(sink);
    sink.begin();
    for (const data of this.#unasked.take()) sink.push(data);
    return sink.answer;
  }

  /** Ends it. */
  close(refusal: Refusal): void {
    this.#connection!.close(refusal);
  }

  onMessage(data: Buffer): void {
    const message = parseServerMessage(data);
    if (message.kind === 'response') this.#calls.get(JSON.stringify(message.id))?.sink.respond(data);
    else if (message.method === 'notifications/progress') this.#progress(message, data);
    else this.#tellClient(this.#named(message, data));
  }

  onEnd(refusal: Error): void {
    for (const { sink } of [...this.#calls.values()]) sink.fail(refusal);
    this.#stream?.end();
    this.events.onOver();
  }

  pause(sink: AnswerSink): void {
    this.#pausing.add(sink);
    this.#connection?.pause();
  }

  resume(sink: AnswerSink): void {
    if (this.#pausing.delete(sink) && this.#pausing.size === 0) this.#connection?.resume();
  }

  done(sink: AnswerSink): void {
    if (this.#stream === sink) this.#stream = undefined;
    for (const [key, call] of this.#calls) if (call.sink === sink) this.#calls.delete(key);
    this.resume(sink);
  }

  async #tellInitialized(message: PostedMessage): Promise<Answer> {
    let status = 0;
    try {
      const answer = await this.tell(message);
      ({ status } = answer);
      return answer;
    } finally {
      // Not taken: it must be told again.
      if (status < 200 || status >= 300) this.#initialized = undefined;
    }
  }

  // A server that does not know the session any more will not answer anything else in it either.
  async #post(message: PostedMessage): Promise<SmallAnswer> {
    const answer = await this.#connection!.post(message, this.patience.headMs);
    if (answer.status !== GONE) return answer;
    const lost = new Refusal('upstream_unreachable', { reason: 'session_lost' });
    this.close(lost);
    throw lost;
  }

  #progress(message: McpRequest | McpNotification, data: Buffer): void {
    const token = message.params?.['progressToken'];
    for (const { sink, request } of this.#calls.values()) if (token !== undefined && request.progressToken === token) return sink.push(data);
  }

  #named(message: McpRequest | McpNotification, data: Buffer): Buffer | undefined {
    if (message.kind === 'notification') return message.method === 'notifications/cancelled' ? this.#questions.cancelled(message) : data;
    return this.#questions.named(message, (name, id) => this.events.onAsked(name, { endpoint: this.#connection!.endpoint, id }));
  }

  #tellClient(data: Buffer | undefined): void {
    if (data === undefined) return;
    const to = this.#stream ?? [...this.#calls.values()].findLast(({ request }) => request.takesUnasked)?.sink;
    if (to === undefined) this.#unasked.hold(data);
    else to.push(data);
  }
}
