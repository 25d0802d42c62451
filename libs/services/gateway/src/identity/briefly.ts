/** Answers held for a moment, by key: who asks at the same time, or shortly after, gets the same one. */
export class Briefly<T> {
  readonly #held = new Map<string, Promise<T>>();

  /** `ms`: how long an answer is held after it came. */
  constructor(private readonly ms: number) {}

  /** The answer held under a key, else a new one; one that failed is held as long. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    const made = make().finally(() => setTimeout(() => this.#held.delete(key), this.ms).unref());
    this.#held.set(key, made);
    return made;
  }
}
