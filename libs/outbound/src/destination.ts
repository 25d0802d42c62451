import type { Dispatcher, Pool } from 'undici';
import type { HopTimes } from './hop-times.js';
import { GuardedHandler } from './guarded-handler.js';
import { SmallAnswerHandler, type SmallAnswer, type SmallAnswerLimits } from './small-answer.js';
import { StampedHandler, type Stamp } from './stamp.js';
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

const NONE: readonly Stamp[] = [];

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
  private readonly address: string;
  private pool: Pool | undefined;

  /** Made by `Outbound.destination`. */
  constructor(
    private readonly target: Target,
    private readonly pools: TargetPools,
    private readonly stamps: readonly Stamp[] = [],
  ) {
    this.origin = target.origin;
    this.url = target.url;
    this.address = target.url.split('?', 1)[0]!;
  }

  /**
   * Sends one request; the answer goes to the handler's `onResponseStart/Data/End`, every failure
   * to `onResponseError` as a `Refusal` (`url_refused` when the name leads where it may not,
   * `upstream_unreachable` with a reason, `upstream_timeout`, `upstream_invalid`,
   * `upstream_too_large`, `header_refused`). The controller given to `onResponseError` is
   * undefined when no connection was made. Nothing is ever sent twice, but once more where a stamp
   * says that it was refused for want of another one.
   */
  dispatch(request: StreamedRequest, handler: Dispatcher.DispatchHandler): void {
    this.send(request, handler, true);
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

  /** The same destination over the same connections, whose requests carry one stamp more. */
  stamped(stamp: Stamp): Destination {
    return new Destination(this.target, this.pools, [...this.stamps, stamp]);
  }

  private send(request: StreamedRequest, handler: Dispatcher.DispatchHandler, mayRepeat: boolean): void {
    const lines = headerLines(request.headers);
    const stamped = this.stampOn(lines, request);
    // It is told to the handler, as every failure is.
    if (stamped instanceof Error) return new GuardedHandler(handler).onResponseError(undefined, stamped);
    const guarded = new GuardedHandler(stamped.length === 0 ? handler : this.listening(stamped, request, handler, mayRepeat));
    const { headersTimeoutMs: headersTimeout, bodyTimeoutMs: bodyTimeout, method, body = null, hops } = request;
    const options = { path: this.target.path, method, headers: lines, body, headersTimeout, bodyTimeout };
    this.livePool().dispatch(options, hops === undefined ? guarded : hops.watch(guarded, body));
  }

  private listening(stamps: readonly Stamp[], request: StreamedRequest, handler: Dispatcher.DispatchHandler, mayRepeat: boolean): StampedHandler {
    const again = mayRepeat ? () => this.send(request, handler, false) : undefined;
    return new StampedHandler(handler, { stamps, origin: this.origin, again });
  }

  /** Adds the stamps to the lines; gives those of them that want to hear of the answer. */
  private stampOn(lines: string[], { method, headers, body = null }: OutboundRequest): readonly Stamp[] | Error {
    if (this.stamps.length === 0) return NONE;
    const { url, origin, address } = this;
    const listening: Stamp[] = [];
    try {
      for (const stamp of this.stamps) {
        if (headers[stamp.header] !== undefined) continue;
        const value = stamp.value({ method, url, origin, address, headers, body });
        if (value === undefined) continue;
        lines.push(stamp.header, value);
        if (stamp.heard !== undefined) listening.push(stamp);
      }
      return listening;
    } catch (error) {
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
