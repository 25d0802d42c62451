import type { Dispatcher, Pool } from 'undici';
import type { HopTimes } from './hop-times.js';
import { GuardedHandler } from './guarded-handler.js';
import { SmallAnswerHandler, type SmallAnswer, type SmallAnswerLimits } from './small-answer.js';
import type { Target } from './target.js';

/** One request. `host` and `accept-encoding` are set here, whatever is given. */
export interface OutboundRequest {
  method: Dispatcher.HttpMethod;
  headers: Record<string, string>;
  body?: Buffer | null;
}

/** A request whose answer is streamed to a handler. Zero switches a limit off (for open streams). */
export interface StreamedRequest extends OutboundRequest {
  /** From the request being written to the last header. */
  headersTimeoutMs: number;
  /** Longest silence inside the body. */
  bodyTimeoutMs: number;
  /** Filled in while the request goes, where somebody wants to know. */
  hops?: HopTimes | undefined;
}

/** A request whose whole answer is wanted. */
export interface SmallRequest extends OutboundRequest, SmallAnswerLimits {
  /** As of a streamed one. */
  hops?: HopTimes | undefined;
}

/** A header that every request gets as it is sent, over exactly the bytes that are sent. */
export interface Stamp {
  /** Lower case. A request that brings the header itself is sent with that one. */
  readonly header: string;
  /** The value; refuses when there can be none, and then nothing is sent. */
  value(body: Buffer | null): string;
}

/** Finds or makes the pool of a target's origin, and retires it. */
export interface TargetPools {
  open(): Pool;
  forget(): void;
}

/**
 * One checked URL and its connections. Redirects are answers like any other: nothing here follows
 * them, because following would carry the credential to another address.
 */
export class Destination {
  readonly origin: string;
  readonly url: string;
  private pool: Pool | undefined;

  /** Made by `Outbound.destination`. */
  constructor(
    private readonly target: Target,
    private readonly pools: TargetPools,
    private readonly stamp?: Stamp,
  ) {
    this.origin = target.origin;
    this.url = target.url;
  }

  /**
   * Sends one request; the answer goes to the handler's `onResponseStart/Data/End`, every failure
   * to `onResponseError` as a `Refusal` (`url_refused` when the name leads where it may not,
   * `upstream_unreachable` with a reason, `upstream_timeout`, `upstream_invalid`,
   * `upstream_too_large`, `header_refused`). The controller given to `onResponseError` is
   * undefined when no connection was made. Nothing is ever sent twice.
   */
  dispatch(request: StreamedRequest, handler: Dispatcher.DispatchHandler): void {
    const guarded = new GuardedHandler(handler);
    const headers = this.linesOf(request);
    if (!Array.isArray(headers)) return guarded.onResponseError(undefined, headers);
    const pool = this.livePool();
    pool.dispatch(
      {
        path: this.target.path,
        method: request.method,
        headers,
        body: request.body ?? null,
        headersTimeout: request.headersTimeoutMs,
        bodyTimeout: request.bodyTimeoutMs,
      },
      request.hops === undefined ? guarded : request.hops.watch(guarded, request.body),
    );
  }

  /** Sends one request and returns its whole answer; rejects as `dispatch` does, and when it grows or lasts too long. */
  fetchSmall(request: SmallRequest): Promise<SmallAnswer> {
    const handler = new SmallAnswerHandler(request);
    this.dispatch({ ...request, headersTimeoutMs: request.timeoutMs, bodyTimeoutMs: request.timeoutMs }, handler);
    return handler.answer;
  }

  /** Lets the connections go once they have finished what they carry: the next request is made over a new one. */
  forgetConnections(): void {
    this.pool = undefined;
    this.pools.forget();
  }

  /** The same destination over the same connections, whose requests carry a stamp. */
  stamped(stamp: Stamp): Destination {
    return new Destination(this.target, this.pools, stamp);
  }

  private linesOf({ headers, body }: OutboundRequest): string[] | Error {
    const lines = headerLines(headers);
    const { stamp } = this;
    if (stamp === undefined || headers[stamp.header] !== undefined) return lines;
    try {
      lines.push(stamp.header, stamp.value(body ?? null));
      return lines;
    } catch (error) {
      // It is told to the handler, as every failure is.
      return error as Error;
    }
  }

  private livePool(): Pool {
    if (this.pool === undefined || this.pool.closed) this.pool = this.pools.open();
    return this.pool;
  }
}

/**
 * Names and values in one flat list, which is what undici reads fastest: adding members to a copy
 * of the object would cost more than all the rest of `dispatch`.
 */
function headerLines(headers: Readonly<Record<string, string>>): string[] {
  const lines = ['accept-encoding', 'identity'];
  for (const [name, value] of Object.entries(headers)) {
    if (!isSetHere(name)) lines.push(name, value);
  }
  return lines;
}

/** Compared by length first: most names need no lower case. */
function isSetHere(name: string): boolean {
  if (name.length === 4) return name.toLowerCase() === 'host';
  return name.length === 15 && name.toLowerCase() === 'accept-encoding';
}
