import type { Clock } from '@gatehouse/kernel';

interface Bucket {
  tokens: number;
  at: number;
}

const MOST_BUCKETS = 50_000;

/** So many at once, and so many a minute after that, per key. */
export interface Rate {
  burst: number;
  perMinute: number;
}

/**
 * Token buckets in memory: a brake on guessing and flooding per replica, not an account of anything.
 * When too many keys are held all are forgotten, which lets a flood through for a moment and never
 * keeps an honest client out.
 */
export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();

  constructor(private readonly clock: Clock) {}

  /** Takes one; seconds to wait when there is none left. */
  take(key: string, { burst, perMinute }: Rate): number {
    const now = this.clock.monotonicMs();
    const held = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, held.tokens + ((now - held.at) / 60_000) * perMinute);
    if (this.#buckets.size >= MOST_BUCKETS) this.#buckets.clear();
    this.#buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    return tokens < 1 ? Math.ceil(((1 - tokens) / perMinute) * 60) : 0;
  }
}
