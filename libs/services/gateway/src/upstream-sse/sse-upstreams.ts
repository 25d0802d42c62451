import { Refusal, type JsonObject } from '@gatehouse/kernel';
import type { SmallAnswer } from '@gatehouse/outbound';
import type { Edge } from '../edge.js';
import type { Armed } from '../pipeline/credential.js';
import type { Answer } from '../pipeline/exchange.js';
import type { Presence } from '../pipeline/forward.js';
import { isInitialize } from '../pipeline/resolve.js';
import type { AnswerSink } from './answer-sink.js';
import { ClientAnswers } from './client-answers.js';
import { CLOSED, ConnectionOpening, type SseWorld } from './connection-opening.js';
import { initializeAnswer, isRefusal } from './initialize-answer.js';
import { isUnused, OpenConnections, type Kept } from './open-connections.js';
import { outgoingOf, outgoingRequestOf } from './outgoing.js';
import { newConnectionId, useOf } from './session-keys.js';
import { SseSession } from './sse-session.js';

const SWEEP_MS = 15_000;
const ACCEPTED: Answer = { kind: 'whole', status: 202, headers: {}, body: Buffer.alloc(0) };
const ENDED: Answer = { kind: 'whole', status: 200, headers: {}, body: Buffer.alloc(0) };

/**
 * Upstreams of HTTP+SSE (2024-11-05) as if they spoke streamable HTTP (ADR 0013): each client session has one
 * connection on each edge that serves it, opened by what needs it first and gone with the session, the
 * server's wish, or nobody's use.
 */
export class SseUpstreams {
  readonly #connections = new OpenConnections();
  readonly #opening: ConnectionOpening;
  readonly #answers: ClientAnswers;
  readonly #sweep: NodeJS.Timeout;

  constructor(private readonly world: SseWorld) {
    this.#opening = new ConnectionOpening(world, this.#connections);
    this.#answers = new ClientAnswers(world);
    this.#sweep = setInterval(() => this.closeUnused(), SWEEP_MS).unref();
  }

  /**
   * Sends a call and gives the beginning of its answer, as one request to an upstream of streamable HTTP would.
   * Refuses as a destination does, with `upstream_unreachable` when the connection is lost meanwhile,
   * `too_many_streams`, `overloaded`.
   */
  async send(armed: Armed, presence: Presence, edge: Edge): Promise<Answer> {
    const { intent } = armed.resolved;
    if (isInitialize(intent)) return this.#initialize(armed, presence, edge);
    if (intent.kind === 'end') return this.#end(armed);
    if (intent.kind === 'response') return this.#answers.deliver(armed, intent.message, this.#used(armed));
    if (intent.kind === 'message' && intent.message.kind === 'notification') return this.#tell(armed, intent.message.method, edge);
    const session = await this.#session(armed);
    if (!(session instanceof SseSession)) return { kind: 'whole', ...session };
    const untilGone = (sink: AnswerSink): void => presence.onGone(() => sink.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' })));
    const request = outgoingRequestOf(armed, edge);
    return request === undefined ? session.listen(untilGone) : session.request(request, untilGone);
  }

  /** Answers a request of an upstream on the client's behalf; an upstream that is gone need not be answered. */
  async answer(armed: Armed, message: JsonObject): Promise<void> {
    const session = this.#connections.get(useOf(armed).key)?.session;
    if (session?.isOver === false) await this.#answers.answerFor(armed, message, session);
  }

  /** Closes what would not be opened now: after each new snapshot. */
  review(): void {
    for (const kept of this.#connections.all()) if (!kept.isStillGood()) this.#close(kept);
  }

  /** Closes what nobody has used for long. */
  closeUnused(): void {
    const now = this.world.clock.monotonicMs();
    for (const kept of this.#connections.all()) if (isUnused(kept, now)) this.#close(kept);
  }

  /** Closes those of a client session that ended. */
  ended(digest: string): void {
    for (const kept of this.#connections.all()) if (kept.digest === digest) this.#close(kept);
  }

  /** Closes all. */
  close(): void {
    clearInterval(this.#sweep);
    for (const kept of this.#connections.all()) this.#close(kept);
  }

  async #initialize(armed: Armed, presence: Presence, edge: Edge): Promise<Answer> {
    const id = newConnectionId();
    const opened = await this.#opening.open(armed, useOf(armed, id));
    if (!(opened instanceof SseSession)) return { kind: 'whole', ...opened };
    presence.onGone(() => opened.close(CLOSED));
    try {
      const answer = await opened.request(outgoingRequestOf(armed, edge)!);
      if (isRefusal(answer)) opened.close(CLOSED);
      return answer.status >= 300 ? answer : initializeAnswer(answer, id);
    } catch (error) {
      opened.close(CLOSED);
      throw error;
    }
  }

  #end(armed: Armed): Answer {
    const kept = this.#connections.get(useOf(armed).key);
    if (kept !== undefined) this.#close(kept);
    return ENDED;
  }

  // What has no answer is for the connection there is: a new one would not know what it is about.
  async #tell(armed: Armed, method: string, edge: Edge): Promise<Answer> {
    await this.#opening.running(useOf(armed).key);
    const session = this.#used(armed);
    if (session === undefined) return ACCEPTED;
    const message = outgoingOf(armed, edge);
    return method === 'notifications/initialized' ? session.initialized(message) : session.tell(message);
  }

  /** The session's connection, opened when there is none. */
  #session(armed: Armed): Promise<SseSession | SmallAnswer> {
    const use = useOf(armed);
    const running = this.#opening.running(use.key);
    if (running !== undefined) return running;
    const known = this.#used(armed);
    return known === undefined ? this.#opening.reopen(armed, use) : this.#opening.initialized(known, armed);
  }

  /** The connection in use, noted as used; one that was opened on other grounds is closed. */
  #used(armed: Armed): SseSession | undefined {
    const use = useOf(armed);
    const kept = this.#connections.get(use.key);
    if (kept?.session === undefined || kept.session.isOver) return undefined;
    if (kept.use.grounds !== use.grounds) return this.#close(kept);
    kept.usedAt = Math.max(this.world.clock.monotonicMs(), kept.openedAt + 1);
    kept.digest = armed.resolved.session?.digest;
    return kept.session;
  }

  #close(kept: Kept): undefined {
    this.#connections.remove(kept);
    kept.session?.close(CLOSED);
  }
}
