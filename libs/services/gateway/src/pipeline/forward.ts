import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@gatehouse/kernel';
import { statedHeaders } from '../call-statements/stated-headers.js';
import type { Edge } from '../edge.js';
import { LIMITS } from '../limits.js';
import type { Armed } from './credential.js';
import { Exchange, type Answer } from './exchange.js';
import type { Resolved } from './resolve.js';

let earn: (armed: Armed, answer: Answer) => Answered;

/** A call that the upstream has begun to answer. */
export class Answered {
  protected readonly earned = true;
  readonly resolved: Resolved;

  private constructor(
    readonly armed: Armed,
    readonly answer: Answer,
  ) {
    this.resolved = armed.resolved;
  }

  static {
    earn = (armed, answer) => new Answered(armed, answer);
  }
}

/** What became of a client that may go away at any time. */
export interface Presence {
  /** Runs once when the client is gone before its answer ended. */
  onGone(abort: () => void): void;
}

const STREAM_TAKEN = 409;
const RESUME_TRIES = 10;
const RESUME_AGAIN_MS = 100;

/**
 * Sends the call, once: nothing is retried here but the resuming of a stream, since a tool may have
 * run. Refuses with `upstream_unreachable`, `upstream_timeout`, `upstream_invalid`,
 * `upstream_too_large`, `url_refused`.
 */
export async function forward(armed: Armed, presence: Presence, edge: Edge): Promise<Answered> {
  const { draft } = armed.resolved.caller.received;
  const isResuming = armed.headers['last-event-id'] !== undefined;
  const answer = await (isResuming ? resumed(armed, presence, edge) : sent(armed, presence, edge));
  draft.upstreamStatus = answer.status;
  draft.mark('forward');
  return earn(armed, answer);
}

// A client that lost its connection may be back, at this edge or another, before the edge that held it
// has noticed; until then the upstream says that the stream is taken. The official clients give up on that.
async function resumed(armed: Armed, presence: Presence, edge: Edge): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await sent(armed, presence, edge);
    if (answer.status !== STREAM_TAKEN || tries === RESUME_TRIES) return answer;
    await sleep(RESUME_AGAIN_MS);
  }
}

function sent(armed: Armed, presence: Presence, edge: Edge): Promise<Answer> {
  const { resolved, destination } = armed;
  if (resolved.server.entry.transport === 'sse') return edge.sse.send(armed, presence, edge);
  const { patience } = edge;
  const headers = statedHeaders(armed, edge);
  const exchange = exchangeFor(resolved);
  presence.onGone(() => exchange.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' })));
  const request = {
    method: resolved.caller.received.verb,
    headers,
    body: resolved.bytes.length === 0 ? null : resolved.bytes,
    headersTimeoutMs: patience.headMs,
    bodyTimeoutMs: resolved.intent.kind === 'listen' ? 0 : patience.silenceMs,
    hops: resolved.caller.received.draft.hops,
  };
  exchange.expectHeadWithin(patience.headMs);
  destination.dispatch(request, exchange);
  return exchange.answer;
}

function exchangeFor({ intent }: Resolved): Exchange {
  if (intent.kind !== 'message' || intent.message.kind !== 'request') return new Exchange(LIMITS.wholeAnswerBytes, false);
  const { row } = intent.admitted;
  const isRewritten = row.listKey !== undefined || row.method === 'initialize';
  return new Exchange(isRewritten ? LIMITS.rewrittenAnswerBytes : LIMITS.wholeAnswerBytes, !isRewritten);
}
