import type { EventContract, ServiceName } from '@gatehouse/contracts';
import { Refusal, type JsonValue } from '@gatehouse/kernel';
import type { z } from 'zod';
import type { BusOptions, ConsumeHandler, EventLog, FollowHandler, Subscription } from '../bus.js';
import { Consumption, follow } from '../delivery.js';
import { durableName, eventSubject, mayHear, ownPayload } from '../event-rules.js';
import { encode } from '../wire.js';
import type { EventHistory } from './event-history.js';

/** The event log of one service instance over the broker's history. */
export class InProcessEvents implements EventLog {
  private readonly running = new Set<Subscription>();
  private closed = false;

  constructor(
    private readonly history: EventHistory,
    private readonly service: ServiceName,
    private readonly options: BusOptions,
  ) {}

  async publish<E extends EventContract>(event: E, payload: z.input<E['payload']>, dedupId: string): Promise<void> {
    this.append(event.subject, ownPayload(this.service, event, payload), dedupId);
  }

  async publishRaw(subject: string, payload: JsonValue, dedupId: string): Promise<void> {
    this.append(eventSubject(subject), payload, dedupId);
  }

  async follow<E extends EventContract>(event: E, handler: FollowHandler<E>): Promise<Subscription> {
    this.refuseWhenClosed();
    mayHear(this.service, event);
    const state = { last: Promise.resolve(), stopped: false };
    const hear = async (text: string): Promise<void> => (state.stopped ? undefined : follow(event, handler, text, this.options));
    const stop = this.history.follow(event.subject, (text) => void (state.last = state.last.then(() => hear(text))));
    return this.subscription(async () => {
      stop();
      state.stopped = true;
      await state.last;
    });
  }

  async consume<E extends EventContract>(event: E, durable: string, handler: ConsumeHandler<E>): Promise<Subscription> {
    this.refuseWhenClosed();
    mayHear(this.service, event);
    const name = durableName(this.service, durable, event);
    const consumption = new Consumption(event, durable, handler, this.options);
    const leave = this.history.durable(name, event.subject).join((delivery) => consumption.deliver(delivery));
    return this.subscription(leave);
  }

  /** Ends every subscription; resolves when their handlers have finished. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.running].map((subscription) => subscription.close()));
  }

  private append(subject: string, payload: unknown, dedupId: string): void {
    this.refuseWhenClosed();
    this.history.append(subject, encode(payload), dedupId);
  }

  private subscription(close: () => Promise<void>): Subscription {
    const subscription = {
      close: async () => {
        this.running.delete(subscription);
        await close();
      },
    };
    this.running.add(subscription);
    return subscription;
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new Refusal('service_unavailable');
  }
}
