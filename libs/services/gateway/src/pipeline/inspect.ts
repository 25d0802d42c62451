import { isJsonObject, Refusal } from '@gatehouse/kernel';
import { readRpcError } from '@gatehouse/mcp';
import type { Edge } from '../edge.js';
import { checkedAnswer, type CheckedAnswer } from './answer-check.js';
import { EventInspector } from './event-inspector.js';
import { mediaType, type Answer } from './exchange.js';
import type { Answered } from './forward.js';
import type { Resolved } from './resolve.js';
import type { UpstreamBody } from './upstream-body.js';

/** What may go to the client. */
export type Content =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'message'; readonly checked: CheckedAnswer }
  | { readonly kind: 'long'; readonly body: UpstreamBody }
  | { readonly kind: 'events'; readonly body: UpstreamBody; readonly inspector: EventInspector };

let earn: (answered: Answered, content: Content) => Cleared;

/** An answer that was looked at: whole when it is whole, event by event when it is a stream. */
export class Cleared {
  protected readonly earned = true;
  readonly resolved: Resolved;

  private constructor(
    readonly answered: Answered,
    readonly content: Content,
  ) {
    this.resolved = answered.resolved;
  }

  static {
    earn = (answered, content) => new Cleared(answered, content);
  }
}

/**
 * Judges what the upstream answered. Refuses with `upstream_refused`, `upstream_invalid`,
 * `upstream_too_large`, `unknown_session`, `method_not_allowed`, `stream_exists`, `response_blocked`.
 */
export function inspect(answered: Answered, edge: Edge): Cleared {
  try {
    return judged(answered, edge);
  } catch (error) {
    // What is not passed on must not go on arriving.
    dropBody(answered.answer);
    throw error;
  }
}

function judged(answered: Answered, edge: Edge): Cleared {
  const { answer, resolved } = answered;
  if (resolved.intent.kind === 'end') return ended(answered, edge);
  if (answer.status >= 300) throw failureOf(answered, edge);
  if (resolved.intent.kind === 'listen') return earn(answered, events(answered, edge));
  if (resolved.intent.kind === 'response' || resolved.intent.message.kind === 'notification') return accepted(answered);
  return earn(answered, contentOf(answered, edge));
}

function contentOf(answered: Answered, edge: Edge): Content {
  const { answer } = answered;
  if (answer.kind === 'events') return events(answered, edge);
  if (mediaType(answer.headers) !== 'application/json') throw new Refusal('upstream_invalid', { reason: 'content_type' });
  if (answer.kind === 'json') return { kind: 'long', body: answer.body };
  return { kind: 'message', checked: checkedAnswer(answer.body, answered, edge) };
}

function events(answered: Answered, edge: Edge): Content {
  const { answer } = answered;
  if (answer.kind !== 'events') throw new Refusal('upstream_invalid', { reason: 'content_type' });
  return { kind: 'events', body: answer.body, inspector: new EventInspector(answered, edge) };
}

function accepted(answered: Answered): Cleared {
  dropBody(answered.answer);
  return earn(answered, { kind: 'accepted' });
}

function dropBody(answer: Answer): void {
  if (answer.kind !== 'whole') answer.body.abort(new Refusal('upstream_invalid', { reason: 'unexpected_body' }));
}

// Whatever the upstream says to DELETE, our session id is over: a client that asked for the end must not be able to go on.
function ended(answered: Answered, edge: Edge): Cleared {
  void edge.sessions.end(answered.resolved.session!);
  dropBody(answered.answer);
  return earn(answered, { kind: 'ended' });
}

function failureOf(answered: Answered, edge: Edge): Refusal {
  const { answer, resolved } = answered;
  if (answer.kind !== 'whole') return new Refusal('upstream_invalid', { reason: 'status', status: answer.status });
  if (answer.status === 404 && resolved.session !== undefined) {
    void edge.sessions.end(resolved.session);
    return new Refusal('unknown_session');
  }
  if (resolved.intent.kind === 'listen' && answer.status === 405) return new Refusal('method_not_allowed', { allow: 'POST, DELETE' });
  if (resolved.intent.kind === 'listen' && answer.status === 409) return new Refusal('stream_exists');
  return new Refusal('upstream_refused', { status: answer.status, ...saidBy(answer, answered) });
}

// The JSON-RPC error of a failed answer helps the caller; its free text is cut, and left out when it gives the credential away.
function saidBy(answer: Extract<Answer, { kind: 'whole' }>, { armed }: Answered): { rpcCode?: number; said?: string } {
  if (answer.body.length > 16_384 || armed.lease?.isGivenAwayIn(answer.body) === true) return {};
  const error = readRpcError(parsedOrNothing(answer.body));
  return error === undefined ? {} : { rpcCode: error.code, said: error.message.slice(0, 500) };
}

function parsedOrNothing(body: Buffer): unknown {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    // A failed answer need not be JSON; its status alone is told then.
    return undefined;
  }
}

/** True for codes that mean "the other side", for the record. */
export function isUpstreamFault(code: string): boolean {
  return code.startsWith('upstream_') || code === 'response_blocked';
}
