import type { Bus } from '@gatehouse/bus';
import { edgeContracts } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, type AeadKey, type Clock } from '@gatehouse/kernel';
import { openSession, type OpenSession } from './session.js';

const REMEMBERED = 50_000;
const ENDED_KEY = 'gateway:ended:';

/** Sessions this edge has seen, so that an id is opened and checked once and not per call. */
export class SessionBook {
  readonly #seen = new Map<string, OpenSession>();
  readonly #idOfDigest = new Map<string, string>();
  readonly #ended = new Set<string>();
  #subscription: { close(): Promise<void> } | undefined;

  constructor(
    private readonly keys: () => readonly AeadKey[],
    private readonly ephemeral: Ephemeral,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  /** Follows the endings that other edges announce. */
  async start(): Promise<void> {
    this.#subscription = await this.bus.events.follow(edgeContracts.sessionEnded, ({ digest }) => this.#markEnded(digest));
  }

  /** Stops following. */
  async close(): Promise<void> {
    await this.#subscription?.close();
  }

  /** The session at hand, without waiting. */
  known(id: string): OpenSession | undefined {
    const session = this.#seen.get(id);
    return session !== undefined && session.expiresAt > this.clock.now() ? session : undefined;
  }

  /** Opens an id seen for the first time here and asks whether it was ended elsewhere; `undefined` for none of ours. */
  async open(id: string): Promise<OpenSession | undefined> {
    const session = openSession(id, this.keys(), this.clock.now());
    if (session === undefined || this.#ended.has(session.digest)) return undefined;
    if (await this.#endedElsewhere(session)) {
      this.#markEnded(session.digest);
      return undefined;
    }
    this.remember(session);
    return session;
  }

  /** Remembers a session; the oldest makes room. */
  remember(session: OpenSession): void {
    if (this.#seen.size >= REMEMBERED) this.#forget(this.#seen.values().next().value!.digest);
    this.#seen.set(session.id, session);
    this.#idOfDigest.set(session.digest, session.id);
  }

  /** Ends a session on every edge. The mark in the ephemeral store serves edges that start later. */
  async end(session: OpenSession): Promise<void> {
    this.#markEnded(session.digest);
    const leftMs = Math.max(1, session.expiresAt - this.clock.now());
    await Promise.allSettled([
      this.ephemeral.set(ENDED_KEY + session.digest, '1', leftMs),
      this.bus.events.publish(edgeContracts.sessionEnded, { digest: session.digest }, `ended-${session.digest}`),
    ]);
  }

  #markEnded(digest: string): void {
    if (this.#ended.size >= REMEMBERED) this.#ended.delete(this.#ended.values().next().value!);
    this.#ended.add(digest);
    this.#forget(digest);
  }

  #forget(digest: string): void {
    const id = this.#idOfDigest.get(digest);
    if (id === undefined) return;
    this.#idOfDigest.delete(digest);
    this.#seen.delete(id);
  }

  // Without the store a session reopens from its sealed id alone (architecture section 7, row Redis):
  // the upstream still refuses what it ended itself.
  async #endedElsewhere(session: OpenSession): Promise<boolean> {
    try {
      return (await this.ephemeral.get(ENDED_KEY + session.digest)) !== undefined;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }
}
