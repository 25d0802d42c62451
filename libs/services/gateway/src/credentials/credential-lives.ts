const REMEMBERED = 50_000;
const SHORTEST_REST_MS = 60_000;
const REST = 0.1;
const LARGEST_REST = 0.5;

/** How long each credential was to live when this edge first leased it, so that "about to end" means the same for an hour and a month. */
export class CredentialLives {
  readonly #lives = new Map<string, { version: number; lifeMs: number }>();

  /** The newest version seen; 0 for none. */
  versionOf(identityId: string): number {
    return this.#lives.get(identityId)?.version ?? 0;
  }

  /**
   * Milliseconds from now until a new credential should be asked for: when less is left than a minute or a
   * tenth of its life, whichever is more. Never before half of it: a token of forty seconds would be
   * renewed the moment it came, over and over.
   */
  untilRenewal(identityId: string, version: number, leftMs: number | null): number {
    const lifeMs = this.#lifeOf(identityId, version, leftMs ?? Number.POSITIVE_INFINITY);
    if (leftMs === null) return Number.POSITIVE_INFINITY;
    return leftMs - Math.min(Math.max(SHORTEST_REST_MS, lifeMs * REST), lifeMs * LARGEST_REST);
  }

  #lifeOf(identityId: string, version: number, leftMs: number): number {
    const known = this.#lives.get(identityId);
    if (known?.version === version) return known.lifeMs;
    if (this.#lives.size >= REMEMBERED) this.#lives.delete(this.#lives.keys().next().value!);
    this.#lives.set(identityId, { version, lifeMs: leftMs });
    return leftMs;
  }
}
