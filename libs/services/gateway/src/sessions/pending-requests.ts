import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal } from '@gatehouse/kernel';
import type { OpenSession } from './session.js';

const ANSWER_WITHIN_MS = 600_000;
const REMEMBERED = 10_000;

/**
 * Requests of upstreams that went to a client and wait for its answer. The answer may arrive at any
 * edge, so the mark lies in the ephemeral store; this edge's own marks serve while the store is down.
 */
export class PendingRequests {
  readonly #own = new Set<string>();

  constructor(private readonly ephemeral: Ephemeral) {}

  /** Notes that this session was asked `id`, before the question goes out. */
  async asked(session: OpenSession, id: string | number): Promise<void> {
    const key = keyOf(session, id);
    if (this.#own.size >= REMEMBERED) this.#own.delete(this.#own.values().next().value!);
    this.#own.add(key);
    await this.#orDown(this.ephemeral.set(key, '1', ANSWER_WITHIN_MS));
  }

  /** Takes the mark, once: an answer nobody waits for, a second answer and another session's answer find none. */
  async take(session: OpenSession, id: string | number): Promise<boolean> {
    const key = keyOf(session, id);
    const own = this.#own.delete(key);
    const stored = await this.#orDown(this.ephemeral.take(key));
    return stored !== undefined && stored !== DOWN ? true : stored === DOWN && own;
  }

  async #orDown<T>(asked: Promise<T>): Promise<T | typeof DOWN> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof Refusal) return DOWN;
      throw error;
    }
  }
}

const DOWN = Symbol('the store is down');

function keyOf(session: OpenSession, id: string | number): string {
  return `gateway:pending:${session.digest}:${JSON.stringify(id)}`;
}
