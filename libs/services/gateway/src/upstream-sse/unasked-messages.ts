import { LIMITS } from '../limits.js';

/** What a server sent while nobody listened: the newest of it, within bounds. */
export class UnaskedMessages {
  readonly #held: Buffer[] = [];
  #bytes = 0;

  /** Keeps one; the oldest make room. */
  hold(data: Buffer): void {
    this.#held.push(data);
    this.#bytes += data.length;
    while (this.#held.length > LIMITS.sseHeldMessages || this.#bytes > LIMITS.sseHeldBytes) this.#bytes -= this.#held.shift()!.length;
  }

  /** Everything held, once. */
  take(): Buffer[] {
    this.#bytes = 0;
    return this.#held.splice(0);
  }
}
