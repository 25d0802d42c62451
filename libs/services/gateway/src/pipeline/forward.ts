import { Refusal } from '@gatehouse/kernel';
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

/**
 * Sends the call, once: nothing is retried here, since a tool may have run. Refuses with
 * `upstream_unreachable`, `upstream_timeout`, `upstream_invalid`, `upstream_too_large`, `url_refused`.
 */
export async function forward(armed: Armed, presence: Presence, { patience }: Edge): Promise<Answered> {
  const { resolved } = armed;
  const { draft, verb } = resolved.caller.received;
  const exchange = exchangeFor(resolved);
  presence.onGone(() => exchange.abort(new Refusal('upstream_unreachable', { reason: 'cancelled' })));
  const request = {
    method: verb,
    headers: armed.headers,
    body: resolved.bytes.length === 0 ? null : resolved.bytes,
    headersTimeoutMs: patience.headMs,
    bodyTimeoutMs: resolved.intent.kind === 'listen' ? 0 : patience.silenceMs,
  };
  exchange.expectHeadWithin(patience.headMs);
  armed.destination.dispatch(request, exchange);
  const answer = await exchange.answer;
  draft.upstreamStatus = answer.status;
  draft.mark('forward');
  return earn(armed, answer);
}

function exchangeFor({ intent }: Resolved): Exchange {
  if (intent.kind !== 'message' || intent.message.kind !== 'request') return new Exchange(LIMITS.wholeAnswerBytes, false);
  const { row } = intent.admitted;
  const isRewritten = row.listKey !== undefined || row.method === 'initialize';
  return new Exchange(isRewritten ? LIMITS.rewrittenAnswerBytes : LIMITS.wholeAnswerBytes, !isRewritten);
}
