import type { DirectoryCaller, DirectoryState } from '../snapshot/directory-state.js';
import type { VerifiedToken } from './access-token.js';

/** A token whose signature was checked here, with the caller it led to last. */
export interface SeenToken {
  readonly token: VerifiedToken;
  /** The directory that `caller` was resolved by: with another one in force it is resolved again. */
  directory: DirectoryState | undefined;
  caller: DirectoryCaller | undefined;
}

/** Tokens that verified at this edge, by SHA-256 of their text, so that a signature is checked once; the oldest makes room. */
export class VerifiedTokens {
  readonly #seen = new Map<string, SeenToken>();

  constructor(private readonly capacity = 20_000) {}

  /** How many are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** What is remembered under a digest. */
  get(digest: string): SeenToken | undefined {
    return this.#seen.get(digest);
  }

  /** Remembers a token that verified. */
  add(digest: string, token: VerifiedToken): SeenToken {
    if (this.#seen.size >= this.capacity) this.#seen.delete(this.#seen.keys().next().value!);
    const seen: SeenToken = { token, directory: undefined, caller: undefined };
    this.#seen.set(digest, seen);
    return seen;
  }

  /** Forgets one that is over. */
  forget(digest: string): void {
    this.#seen.delete(digest);
  }
}
