import { Refusal } from '@gatehouse/kernel';
import { LIMITS } from './limits.js';

/** Calls in flight by person: one person's flood must not take what the others need. */
export class CallLoad {
  readonly #perPerson = new Map<string, number>();

  /** Counts a call in; the function returned counts it out. Refuses with `rate_limited`. */
  enter(personId: string): () => void {
    const count = this.#perPerson.get(personId) ?? 0;
    if (count >= LIMITS.callsPerPerson) throw new Refusal('rate_limited', { limit: LIMITS.callsPerPerson });
    this.#perPerson.set(personId, count + 1);
    return () => this.#leave(personId);
  }

  #leave(personId: string): void {
    const count = (this.#perPerson.get(personId) ?? 1) - 1;
    if (count === 0) this.#perPerson.delete(personId);
    else this.#perPerson.set(personId, count);
  }
}
