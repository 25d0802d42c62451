import { asRefusalOrFault, Refusal, type Clock, type JsonObject } from '@gatehouse/kernel';
import { parseServerMessage, type McpResponse, type RequestId } from '@gatehouse/mcp';
import type { Outbound, SmallAnswer } from '@gatehouse/outbound';
import type { Edge } from '../edge.js';
import { LIMITS } from '../limits.js';
import type { Armed } from '../pipeline/credential.js';
import type { Answer } from '../pipeline/exchange.js';
import type { Presence } from '../pipeline/forward.js';
import { isInitialize } from '../pipeline/resolve.js';
import type { OpenSession } from '../sessions/session.js';
import { openUpstreamSession, type UpstreamReply } from '../sessions/upstream-session.js';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import type { EdgeServer } from '../snapshot/policy-state.js';
import type { AnswerSink, SinkPatience } from './answer-sink.js';
import type { AskedElsewhere } from './asked-elsewhere.js';
import { initializeAnswer, isRefusal, withToldVersion } from './initialize-answer.js';
import { OpenConnections, type Kept } from './open-connections.js';
import { headersOf, outgoingOf, outgoingRequestOf } from './outgoing.js';
import { newConnectionId, useOf, type ConnectionUse } from './session-keys.js';
import { SseSession } from './sse-session.js';

/** What serving such upstreams needs. */
export interface SseWorld {
  outbound: Pick<Outbound, 'destination'>;
  clock: Clock;
  /** Where answers to servers' requests go that reach another edge. */
  asked: AskedElsewhere;
  patience: SinkPatience;
  /** Whether what opened a connection would be allowed now: asked after each new snapshot. */
  isStillAllowed: (who: DirectoryCaller, server: EdgeServer['entry']) => boolean;
}

const SWEEP_MS = 15_000;
const ANSWER_BYTES = 64 * 1024;
const ACCEPTED: Answer = { kind: 'whole', status: 202, headers: {}, body: Buffer.alloc(0) };
const ENDED: Answer = { kind: 'whole', status: 200, headers: {}, body: Buffer.alloc(0) };
const CLOSED = new Refusal('upstream_unreachable', { reason: 'closed' });

/**
 * Upstreams of HTTP+SSE (2024-11-05) as if they spoke streamable HTTP (ADR 0013): each client session has one
 * connection on each edge that serves it, opened by what needs it first and gone with the session, the
 * server's wish, or nobody's use.
 */
export class SseUpstreams {
  readonly #connections = new OpenConnections();
  readonly #opening = new Map<string, Promise<SseSession | SmallAnswer>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(private readonly world: SseWorld) {
    this.#sweep = setInterval(() => this.closeUnused(), SWEEP_MS).unref();
  }

  /** How many connections are open. */
  get size(): number {
    return this.#connections.size;
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
    const waits = intent.kind === 'listen' || intent.kind === 'message' && intent.message.kind === 'request';
    if (!waits) return this.#tell(armed, edge);
    const session = await this.#session(armed);
    if (!(session instanceof SseSession)) return { kind: 'whole', ...session };
    const untilGone = (sink: AnswerSink): void => presence.onGone(() => sink.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' })));
    const request = outgoingRequestOf(armed, edge);
    return request === undefined ? session.listen(untilGone) : session.request(request, untilGone);
  }

  /** Answers a request of an upstream on the client's behalf; an upstream that is gone need not be answered. */
  async answer(armed: Armed, message: JsonObject): Promise<void> {
    const session = this.#connections.get(useOf(armed).key)?.session;
    if (session === undefined || session.isOver) return;
    const id = session.asked(message['id'] as RequestId);
    if (id === undefined) return;
    await session.tell({ body: Buffer.from(JSON.stringify({ ...message, id })), headers: headersOf(armed) }).catch((error: unknown) => asRefusalOrFault(error));
  }

  /** Closes what would not be opened now: after each new snapshot. */
  review(): void {
    for (const kept of this.#connections.all()) if (!kept.isStillGood()) this.#close(kept);
  }

  /** Closes what nobody has used for long. */
  closeUnused(): void {
    const now = this.world.clock.monotonicMs();
    for (const kept of this.#connections.all()) {
      const limitMs = kept.usedAt === kept.openedAt ? LIMITS.sseUnusedMs : LIMITS.sseIdleMs;
      if (kept.session?.isIdle === true && now - kept.usedAt > limitMs) this.#close(kept);
    }
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
    const use = useOf(armed, id);
    const opened = await this.#opened(armed, use);
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
  async #tell(armed: Armed, edge: Edge): Promise<Answer> {
    const session = this.#used(armed);
    const { intent } = armed.resolved;
    if (intent.kind === 'response') return this.#answer(armed, intent.message, session);
    const isInitialized = intent.kind === 'message' && intent.message.method === 'notifications/initialized';
    if (session === undefined || (isInitialized && session.isInitialized)) return ACCEPTED;
    if (isInitialized) session.isInitialized = true;
    return session.tell(outgoingOf(armed, edge));
  }

  // Only the server session that asked may have the answer; its connection may be another edge's.
  async #answer(armed: Armed, { id: name, result, error }: McpResponse, session: SseSession | undefined): Promise<Answer> {
    const [own, elsewhere] = [session?.asked(name), await this.world.asked.take(name)];
    const id = own ?? elsewhere?.id;
    if (id === undefined) throw new Refusal('upstream_unreachable', { reason: 'session_lost' });
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result, error }));
    if (own !== undefined) return session!.tell({ body, headers: headersOf(armed) });
    return this.#post(armed, elsewhere!.endpoint, body);
  }

  async #post(armed: Armed, endpoint: string, body: Buffer): Promise<Answer> {
    const { origin } = armed.destination;
    if (new URL(endpoint).origin !== origin) throw new Refusal('upstream_unreachable', { reason: 'session_lost' });
    const headers = { ...headersOf(armed), accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const destination = this.world.outbound.destination(endpoint, armed.resolved.server.entry);
    const answer = await destination.fetchSmall({ method: 'POST', headers, body, maxBytes: ANSWER_BYTES, timeoutMs: this.world.patience.headMs });
    if (answer.status === 404) throw new Refusal('upstream_unreachable', { reason: 'session_lost' });
    return { kind: 'whole', ...answer };
  }

  /** The session's connection, opened and initialized with what its client said when there is none. */
  async #session(armed: Armed): Promise<SseSession | SmallAnswer> {
    const known = this.#used(armed);
    if (known !== undefined) return known.isInitialized ? known : this.#initializedLate(known, armed);
    const use = useOf(armed);
    const running = this.#opening.get(use.key) ?? this.#reopened(armed, use).finally(() => this.#opening.delete(use.key));
    this.#opening.set(use.key, running);
    return running;
  }

  // Its client told another edge.
  async #initializedLate(session: SseSession, armed: Armed): Promise<SseSession> {
    session.isInitialized = true;
    await session.tell({ body: Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}'), headers: headersOf(armed) });
    return session;
  }

  async #reopened(armed: Armed, use: ConnectionUse): Promise<SseSession | SmallAnswer> {
    const opened = await this.#opened(armed, use);
    if (!(opened instanceof SseSession)) return opened;
    try {
      await openUpstreamSession((message) => sendIn(opened, message, headersOf(armed)), initializeParams(armed.resolved.session!));
      opened.isInitialized = true;
      return opened;
    } catch (error) {
      opened.close(CLOSED);
      throw error;
    }
  }

  async #opened(armed: Armed, use: ConnectionUse): Promise<SseSession | SmallAnswer> {
    const now = this.world.clock.monotonicMs();
    const { entry } = armed.resolved.server;
    const { who } = armed.resolved.caller;
    const isStillGood = (): boolean => this.world.isStillAllowed(who, entry);
    const kept: Kept = { use, openedAt: now, usedAt: now, session: undefined, isStillGood, digest: armed.resolved.session?.digest };
    this.#connections.add(kept);
    const order = {
      destination: armed.destination,
      destinationAt: (url: string) => this.world.outbound.destination(url, entry),
      headers: headersOf(armed),
      openMs: this.world.patience.headMs,
    };
    try {
      const opened = await SseSession.open(order, this.world.patience, {
        onAsked: (name, address) => this.world.asked.note(name, address),
        onOver: () => this.#connections.remove(kept),
      });
      if (opened instanceof SseSession) kept.session = opened;
      else this.#connections.remove(kept);
      return opened;
    } catch (error) {
      this.#connections.remove(kept);
      throw error;
    }
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

function initializeParams({ protocolVersion, clientCapabilities: capabilities, clientName, clientVersion }: OpenSession): JsonObject {
  return { protocolVersion, capabilities, clientInfo: { name: clientName ?? 'client', version: clientVersion ?? '0' } };
}

async function sendIn(session: SseSession, message: JsonObject, headers: Record<string, string>): Promise<UpstreamReply> {
  const body = Buffer.from(JSON.stringify(message));
  if (typeof message['id'] !== 'string') {
    await session.tell({ body, headers });
    return { response: undefined };
  }
  const answer = await session.request({ body, headers, id: message['id'], progressToken: undefined, takesUnasked: false });
  if (answer.kind !== 'whole' || answer.status >= 300) throw new Refusal('upstream_refused', { status: answer.status });
  const response = parseServerMessage(withToldVersion(answer.body));
  return { response: response.kind === 'response' ? response : undefined };
}
