import { Refusal } from '@gatehouse/kernel';
import { LIMITS } from '../limits.js';
import type { ConnectionUse } from './session-keys.js';
import type { SseSession } from './sse-session.js';

/** One connection, from the wish for it to its end. */
export interface Kept {
  readonly use: ConnectionUse;
  readonly openedAt: number;
  /** Monotonic milliseconds. */
  usedAt: number;
  /** Undefined while it is being opened. */
  session: SseSession | undefined;
  /** Whether what opened it would be allowed now. */
  readonly isStillGood: () => boolean;
  /** Of the client session, once it is known. */
  digest: string | undefined;
}

/** Whether a connection has waited long enough for somebody to use it. */
export function isUnused({ session, openedAt, usedAt }: Pick<Kept, 'openedAt' | 'usedAt'> & { session: { readonly isIdle: boolean } | undefined }, now: number): boolean {
  const limitMs = usedAt === openedAt ? LIMITS.sseUnusedMs : LIMITS.sseIdleMs;
  return session?.isIdle === true && now - usedAt > limitMs;
}

/** The connections of this edge, counted per caller and server. */
export class OpenConnections {
  readonly #kept = new Map<string, Kept>();

  /** How many there are. */
  get size(): number {
    return this.#kept.size;
  }

  /** The one by that key. */
  get(key: string): Kept | undefined {
    return this.#kept.get(key);
  }

  /** Everyone. */
  all(): Kept[] {
    return [...this.#kept.values()];
  }

  /** Adds one; refuses with `too_many_streams` and `overloaded`. */
  add(kept: Kept): void {
    const { callerId, serverId } = kept.use;
    const all = this.all();
    const limit = LIMITS.sseSessionsPerCaller;
    if (all.filter(({ use }) => use.callerId === callerId).length >= limit) throw new Refusal('too_many_streams', { limit });
    const perServer = all.filter(({ use }) => use.serverId === serverId).length;
    if (perServer >= LIMITS.sseSessionsPerServer || all.length >= LIMITS.sseSessions) throw new Refusal('overloaded');
    this.#kept.set(kept.use.key, kept);
  }

  /** Forgets one, unless another has taken its place. */
  remove(kept: Kept): void {
    if (this.#kept.get(kept.use.key) === kept) this.#kept.delete(kept.use.key);
  }
}
