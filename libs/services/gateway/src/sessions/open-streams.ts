import { Refusal } from '@gatehouse/kernel';
import { LIMITS } from '../limits.js';

/** A stream that outlives the decision that opened it, and how to end it. */
export interface OpenStream {
  readonly callerId: string;
  /** Listens without an end (GET), unlike the stream that answers one call. */
  readonly endless: boolean;
  /** Whether what was decided when it opened would be decided again now. */
  stillAllowed(): boolean;
  cut(refusal: Refusal): void;
  /** Looks at what is in force now, when it goes on. */
  reviewed?(): void;
}

/** Streams open at this edge: capped per person, and cut when the token or the policy behind them is gone. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();
  readonly #perCaller = new Map<string, number>();

  /** How many are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Adds a stream; refuses with `too_many_streams`. */
  open(stream: OpenStream): void {
    const count = this.#perCaller.get(stream.callerId) ?? 0;
    if (count >= LIMITS.streamsPerCaller) throw new Refusal('too_many_streams', { limit: LIMITS.streamsPerCaller });
    this.#perCaller.set(stream.callerId, count + 1);
    this.#streams.add(stream);
  }

  /** Forgets a stream that ended. */
  closed(stream: OpenStream): void {
    if (!this.#streams.delete(stream)) return;
    const count = this.#perCaller.get(stream.callerId)! - 1;
    if (count === 0) this.#perCaller.delete(stream.callerId);
    else this.#perCaller.set(stream.callerId, count);
  }

  /** Cuts every stream that would not be opened now: after each new snapshot, and every second for expiry. */
  review(): void {
    for (const stream of this.#streams) {
      if (!stream.stillAllowed()) stream.cut(new Refusal('unauthenticated'));
      else stream.reviewed?.();
    }
  }

  /** Ends what would never end by itself: the instance is going away. Calls in flight keep their streams. */
  drain(): void {
    for (const stream of this.#streams) if (stream.endless) stream.cut(new Refusal('draining'));
  }

  /** Ends all streams: the time for calls in flight is over. */
  cutAll(): void {
    for (const stream of this.#streams) stream.cut(new Refusal('draining'));
  }
}
