import type { Dispatcher } from 'undici';

const PAUSE_ABOVE_BYTES = 64 * 1024;

/** What a body needs of the connection that it comes over, its own or one it shares with others. */
export type BodyControl = Pick<Dispatcher.DispatchController, 'paused' | 'aborted' | 'pause' | 'resume' | 'abort'>;

/**
 * The body of an upstream's answer, pulled piece by piece. When the reader is slower than the
 * upstream, reading from the socket stops: back-pressure reaches the upstream through TCP.
 */
export class UpstreamBody {
  readonly #queue: Buffer[] = [];
  #queued = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly controller: BodyControl) {}

  /** The next piece, `undefined` at the end; throws the refusal that ended it early. */
  async next(): Promise<Buffer | undefined> {
    while (this.#queue.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const chunk = this.#queue.shift()!;
    this.#queued -= chunk.length;
    if (this.controller.paused && this.#queued < PAUSE_ABOVE_BYTES) this.controller.resume();
    return chunk;
  }

  /** Stops reading and closes the connection. */
  abort(reason: Error): void {
    this.#failure ??= reason;
    if (!this.#ended && !this.controller.aborted) this.controller.abort(reason);
    this.#wake?.();
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= PAUSE_ABOVE_BYTES) this.controller.pause();
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}
