import type { Decision } from './question.js';

const MAX_ENTRIES = 50_000;
const GENERATION = MAX_ENTRIES / 2;
/** A caller picks the names in a key: long ones are decided afresh, so that the memory is bounded in bytes too. */
const MAX_KEY_CHARS = 768;

/**
 * Decisions by question, at most 50,000: a young and an old generation instead of a linked list, because a hit in the
 * young one must cost one map lookup. What was not asked for during a whole generation is dropped.
 */
export class DecisionMemory {
  #young = new Map<string, Decision>();
  #old = new Map<string, Decision>();

  /** The decision remembered under a key. */
  get(key: string): Decision | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.put(key, old);
    return old;
  }

  /** Remembers a decision, unless its key is longer than 768 characters. */
  put(key: string, decision: Decision): void {
    if (key.length > MAX_KEY_CHARS) return;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, decision);
  }

  /** Entries held, both generations. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
