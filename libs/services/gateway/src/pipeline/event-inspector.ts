import {
  acceptServerMessage,
  jsonRpcError,
  parseServerMessage,
  ServerStreamGuard,
  type McpMessage,
  type McpRequest,
  type OutgoingSseEvent,
  type RequestId,
  type ServerMessageVerdict,
  type SseEvent,
} from '@gatehouse/mcp';
import { isJsonObject, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { headerOf } from '../http/request-head.js';
import { LIMITS } from '../limits.js';
import { sealEventId } from '../sessions/session.js';
import { checkedResponse, refuseGiveAway, type CheckedAnswer } from './answer-check.js';
import { questionAbout } from './authorize.js';
import { answerUpstream } from './answer-upstream.js';
import type { Answered } from './forward.js';
import type { Resolved } from './resolve.js';

/**
 * Judges the events of one upstream stream, in order. A stream carries what its session's client may
 * get and nothing else: the upstream session belongs to one client, so what arrives on it is that client's.
 */
export class EventInspector {
  /** The response, once it passed. */
  answer: CheckedAnswer | undefined;
  /** Whether the upstream gave event ids: then a stream that ends early can be resumed. */
  resumable = false;
  readonly #guard: ServerStreamGuard | undefined;
  readonly #capabilities;

  constructor(
    private readonly answered: Answered,
    private readonly edge: Edge,
  ) {
    const { resolved } = answered;
    this.#capabilities = resolved.session?.clientCapabilities ?? {};
    // A resumed stream may bring the response to a request that another stream (or edge) sent.
    this.#guard = isResumed(resolved) ? undefined : new ServerStreamGuard(this.#capabilities, awaitedBy(resolved));
  }

  /** What goes out for an event, or nothing. Refuses with `upstream_invalid`, `response_blocked`. */
  async inspect(event: SseEvent): Promise<OutgoingSseEvent | undefined> {
    refuseGiveAway(event.data, this.answered);
    if (event.event !== undefined && event.event !== 'message') return undefined;
    if (event.data.length === 0) return this.#outgoing(event, event.data);
    const message = parseServerMessage(event.data);
    if (message.kind === 'response') return this.#response(message, event);
    const verdict = this.#verdict(message);
    if (verdict === 'deny') void answerUpstream(this.answered.armed, jsonRpcError((message as McpRequest).id, new Refusal('method_denied')), this.edge);
    if (verdict !== 'relay' || !this.#mayKnow(message)) return undefined;
    if (message.kind === 'request') await this.edge.pending.asked(this.answered.resolved.session!, message.id);
    return this.#outgoing(event, event.data);
  }

  #verdict(message: McpMessage): ServerMessageVerdict {
    if (this.#guard !== undefined) return this.#guard.accept(message);
    return message.kind === 'response' ? 'relay' : acceptServerMessage(message, this.#capabilities);
  }

  #response(message: Extract<McpMessage, { kind: 'response' }>, event: SseEvent): OutgoingSseEvent | undefined {
    if (this.#verdict(message) !== 'relay') return undefined;
    this.answer = checkedResponse(message, event.data, this.answered, this.edge);
    return this.#outgoing(event, this.answer.bytes);
  }

  // That a resource changed is news about the resource: only for those who may read it.
  #mayKnow(message: McpMessage): boolean {
    if (message.kind !== 'notification' || message.method !== 'notifications/resources/updated') return true;
    const uri = isJsonObject(message.params) ? message.params['uri'] : undefined;
    const { resolved } = this.answered;
    return typeof uri === 'string' && this.edge.state.policy().policies.decide(questionAbout(resolved, 'read', uri)).effect === 'allow';
  }

  #outgoing(event: SseEvent, data: Buffer): OutgoingSseEvent {
    // Events of an initialize stream have no session yet whose name could seal their ids: they go without.
    const { session } = this.answered.resolved;
    if (event.id === undefined || event.id === '' || session === undefined) return { data };
    if (event.id.length > LIMITS.eventIdChars) throw new Refusal('upstream_invalid', { reason: 'event_id' });
    this.resumable = true;
    return { id: sealEventId(event.id, session, this.edge.keys.session), data };
  }
}

function isResumed({ intent, caller }: Resolved): boolean {
  return intent.kind === 'listen' && headerOf(caller.received.request, 'last-event-id') !== undefined;
}

function awaitedBy({ intent }: Resolved): { id: RequestId; progressToken?: RequestId } | undefined {
  if (intent.kind !== 'message' || intent.message.kind !== 'request') return undefined;
  const meta = intent.message.params?.['_meta'];
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
  const { id } = intent.message;
  return typeof token === 'string' || typeof token === 'number' ? { id, progressToken: token } : { id };
}
