import { Refusal } from '@gatehouse/kernel';
import { LIMITS } from './limits.js';

/** Calls in flight by caller: one's flood must not take what the others need. */
export class CallLoad {
  readonly #perCaller = new Map<string, number>();

  /** Counts a call in; the function returned counts it out. Refuses with `rate_limited`. */
  enter(callerId: string): () => void {
    const count = this.#perCaller.get(callerId) ?? 0;
    if (count >= LIMITS.callsPerCaller) throw new Refusal('rate_limited', { limit: LIMITS.callsPerCaller });
    this.#perCaller.set(callerId, count + 1);
    return () => this.#leave(callerId);
  }

  #leave(callerId: string): void {
    const count = (this.#perCaller.get(callerId) ?? 1) - 1;
    if (count === 0) this.#perCaller.delete(callerId);
    else this.#perCaller.set(callerId, count);
  }
}
