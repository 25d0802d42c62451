import type { EventContract } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';
import type { BusOptions, ConsumeHandler, FollowHandler } from './bus.js';

/** After so many deliveries an event is taken for one that nobody can handle. */
export const MAX_DELIVERIES = 10;

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** What becomes of a delivered event. */
export type Verdict = { readonly kind: 'done' } | { readonly kind: 'retry'; readonly afterMs: number } | { readonly kind: 'poison' };

/** One delivery of a consumed event. */
export interface Delivery {
  readonly text: string;
  /** 1 for the first. */
  readonly attempt: number;
}

/** How one durable's deliveries are handled, the same over both adapters. */
export class Consumption<E extends EventContract> {
  constructor(
    private readonly event: E,
    private readonly durable: string,
    private readonly handler: ConsumeHandler<E>,
    private readonly options: BusOptions,
  ) {}

  /** Runs the handler and says what becomes of the event; never rejects. */
  async deliver(delivery: Delivery): Promise<Verdict> {
    const { attempt } = delivery;
    // Over the limit already: the earlier ones ended with the process, so this event may be what ends it.
    if (attempt > MAX_DELIVERIES) return this.poison(attempt - 1, new Fault('every delivery ended without an answer'));
    try {
      await this.handler(payloadOf(this.event, delivery.text));
      return { kind: 'done' };
    } catch (error) {
      return attempt >= MAX_DELIVERIES ? this.poison(attempt, error) : this.retry(attempt, error);
    }
  }

  private retry(attempt: number, error: unknown): Verdict {
    const afterMs = (this.options.retryDelayMs ?? doublingDelay)(attempt);
    const { subject } = this.event;
    this.options.log?.warn({ err: error, subject, durable: this.durable, attempt, afterMs }, 'event handler failed, event will come again');
    return { kind: 'retry', afterMs };
  }

  private poison(deliveries: number, error: unknown): Verdict {
    const { subject } = this.event;
    this.options.log?.error({ err: error, subject, durable: this.durable, deliveries }, 'event dropped: no delivery of it succeeded');
    this.options.onPoison?.({ subject, durable: this.durable, deliveries, error });
    return { kind: 'poison' };
  }
}

/** Runs a follower's handler; what it throws is logged, because the next event must not wait for a repeat. */
export async function follow<E extends EventContract>(event: E, handler: FollowHandler<E>, text: string, options: BusOptions): Promise<void> {
  try {
    await handler(payloadOf(event, text));
  } catch (error) {
    options.log?.error({ err: error, subject: event.subject }, 'event follower failed');
  }
}

function payloadOf<E extends EventContract>(event: E, text: string): Parameters<FollowHandler<E>>[0] {
  const parsed = event.payload.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data as Parameters<FollowHandler<E>>[0];
  throw new Fault(`a payload of ${event.subject} does not fit its contract`, { cause: parsed.error });
}

function doublingDelay(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
}
