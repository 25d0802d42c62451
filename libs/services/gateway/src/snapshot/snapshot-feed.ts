import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import type { EventContract, RequestContract, snapshotReply, snapshotRequest, SnapshotVersion } from '@gatehouse/contracts';
import { asRefusalOrFault, Fault, type Clock } from '@gatehouse/kernel';
import { isGenuine, type SignedText, type VerificationKeys } from '@gatehouse/snapshots';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';

/** What a feed needs to know about the snapshot it follows. */
export interface FeedOptions<T extends SnapshotVersion> {
  name: 'policy' | 'directory';
  bus: Bus;
  clock: Clock;
  log: Logger;
  request: RequestContract<typeof snapshotRequest, typeof snapshotReply>;
  published: EventContract;
  schema: z.ZodType<T>;
  /** The keys known; asked anew when a snapshot names one that is not among them. */
  keys: (anew: boolean) => Promise<VerificationKeys>;
  /** Builds the new state; when it throws, the old one stays. */
  apply: (snapshot: T) => void;
}

const POLL_MS = 5_000;
const RETRY_MS = 250;

/** Imports an Ed25519 public key in SPKI DER, base64url. */
export function importVerificationKey(spki: string): KeyObject {
  return createPublicKey({ key: Buffer.from(spki, 'base64url'), format: 'der', type: 'spki' });
}

/**
 * Keeps one signed snapshot current: asks for it at start, when an event announces another, and
 * every five seconds. Signature and version are checked before it is applied; a lower version of the
 * same epoch is refused (a replayed snapshot would bring revoked access back) and confirms nothing.
 */
export class SnapshotFeed<T extends SnapshotVersion> {
  #held: SnapshotVersion | undefined;
  #confirmedAt: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #subscription: { close(): Promise<void> } | undefined;
  #closed = false;
  #rejected: string | undefined;
  readonly #waiters = new Set<() => void>();

  constructor(private readonly options: FeedOptions<T>) {}

  /** The version in force at this edge. */
  get held(): SnapshotVersion | undefined {
    return this.#held;
  }

  /** Milliseconds since the owner last confirmed what is held; infinite before the first time. */
  ageMs(): number {
    return this.#confirmedAt === undefined ? Number.POSITIVE_INFINITY : this.options.clock.monotonicMs() - this.#confirmedAt;
  }

  /** What readiness shows: true, or what is missing. */
  health(): true | string {
    if (this.#rejected !== undefined) return this.#rejected;
    return this.#held === undefined ? `${this.options.name} snapshot not loaded` : true;
  }

  /** Starts following; returns at once, `health` tells when the first snapshot is there. */
  async start(): Promise<void> {
    this.#subscription = await this.options.bus.events.follow(this.options.published, () => void this.refresh());
    this.#schedule(0);
  }

  /** Stops following. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#subscription?.close();
    await this.#running;
  }

  /** Fetches now; calls while one is running lead to exactly one more. */
  refresh(): Promise<void> {
    this.#again = this.#running !== undefined;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Waits until this version (or a newer one) is in force here, at most `limitMs`; tells whether it is. */
  async reached(wanted: SnapshotVersion, limitMs: number): Promise<boolean> {
    const until = this.options.clock.monotonicMs() + limitMs;
    while (!this.#has(wanted) && this.options.clock.monotonicMs() < until) {
      const applied = new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
        setTimeout(resolve, 50).unref();
      });
      await this.refresh();
      if (!this.#has(wanted)) await applied;
    }
    return this.#has(wanted);
  }

  /**
   * Takes in a snapshot that came by another path (the mirror); `confirmedMsAgo` is how old the sender's
   * word is. A Fault when it is not genuine: that says something of the path, and nothing of what is held.
   */
  accept(signed: SignedText, keys: VerificationKeys, confirmedMsAgo: number): void {
    if (!this.#take(signed, keys)) return;
    const at = this.options.clock.monotonicMs() - confirmedMsAgo;
    this.#confirmedAt = Math.max(this.#confirmedAt ?? at, at);
  }

  #has(wanted: SnapshotVersion): boolean {
    return this.#held !== undefined && this.#held.epoch === wanted.epoch && this.#held.version >= wanted.version;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), ms).unref();
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#fetch();
      } while (this.#again);
      this.#schedule(POLL_MS);
    } catch (error) {
      this.options.log.warn({ snapshot: this.options.name, code: asRefusalOrFault(error).code, err: error }, 'snapshot not refreshed');
      this.#schedule(this.#held === undefined ? RETRY_MS : RETRY_MS * 4);
    } finally {
      this.#running = undefined;
    }
  }

  async #fetch(): Promise<void> {
    const { bus, request, clock } = this.options;
    const asked = clock.monotonicMs();
    const have = this.#held;
    const first = await bus.request(request, have === undefined ? { part: 0 } : { part: 0, have });
    if (!first.unchanged) {
      const chunks = [first.chunk];
      for (let part = 1; part < first.parts; part++) {
        const next = await bus.request(request, { part });
        if (next.unchanged || next.version !== first.version || next.epoch !== first.epoch) return this.#fetch();
        chunks.push(next.chunk);
      }
      const { keyId, signature } = first;
      if (!(await this.#takeFetched({ text: chunks.join(''), keyId, signature }))) return;
    }
    this.#rejected = undefined;
    this.#confirmedAt = asked;
  }

  async #takeFetched(signed: SignedText): Promise<boolean> {
    const known = await this.options.keys(false);
    const keys = known.has(signed.keyId) ? known : await this.options.keys(true);
    try {
      return this.#take(signed, keys);
    } catch (error) {
      this.#rejected = asRefusalOrFault(error).message;
      throw error;
    }
  }

  /** Puts a genuine snapshot in force unless it is; false for one that is older than what is held. */
  #take(signed: SignedText, keys: VerificationKeys): boolean {
    if (!isGenuine(signed, keys)) throw this.#rejection('bad signature');
    const snapshot = this.#parsed(signed.text);
    const held = this.#held?.epoch === snapshot.epoch ? this.#held.version : undefined;
    if (held === undefined || snapshot.version > held) this.#apply(snapshot);
    return held === undefined || snapshot.version >= held;
  }

  #apply(snapshot: T): void {
    try {
      this.options.apply(snapshot);
    } catch (error) {
      throw this.#rejection('it could not be built', error);
    }
    this.#held = { epoch: snapshot.epoch, version: snapshot.version };
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  #parsed(text: string): T {
    try {
      return this.options.schema.parse(JSON.parse(text));
    } catch (error) {
      throw this.#rejection('it is not of the form agreed on', error);
    }
  }

  #rejection(reason: string, cause?: unknown): Fault {
    this.options.log.error({ snapshot: this.options.name, reason }, 'snapshot rejected');
    return new Fault(`${this.options.name} snapshot rejected: ${reason}`, { cause });
  }
}
