import type { EventContract, ServiceName } from '@gatehouse/contracts';
import { Refusal, type JsonValue } from '@gatehouse/kernel';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { BusOptions, ConsumeHandler, EventLog, FollowHandler, Subscription } from '../bus.js';
import { Consumption, follow } from '../delivery.js';
import { durableName, eventSubject, mayHear, ownPayload } from '../event-rules.js';
import { isOversize } from '../send-request.js';
import { encode } from '../wire.js';
import { handleDurable, openDurable } from './durable-consumer.js';
import { EventFollower } from './event-follower.js';
import { ensureEventStream } from './event-stream.js';
import { MessageLoop, type MessagePlan } from './message-loop.js';
import type { NatsClient } from './nats-client.js';
import { within } from './within.js';

const PUBLISH_LIMIT_MS = 5_000;
const FLUSH_LIMIT_MS = 1_000;

/** The event log of one service instance over JetStream. */
export class NatsEvents implements EventLog {
  private readonly running = new Set<Subscription>();

  constructor(
    private readonly manager: JetStreamManager,
    private readonly service: ServiceName,
    private readonly client: NatsClient,
    private readonly options: BusOptions,
  ) {}

  async publish<E extends EventContract>(event: E, payload: z.input<E['payload']>, dedupId: string): Promise<void> {
    await this.store(event.subject, ownPayload(this.service, event, payload), dedupId);
  }

  async publishRaw(subject: string, payload: JsonValue, dedupId: string): Promise<void> {
    await this.store(eventSubject(subject), payload, dedupId);
  }

  async follow<E extends EventContract>(event: E, handler: FollowHandler<E>): Promise<Subscription> {
    mayHear(this.service, event);
    const follower = new EventFollower(this.manager, event.subject);
    return this.loop(event.subject, {
      open: () => follower.open(),
      handle: async (message) => {
        follower.note(message);
        await follow(event, handler, message.string(), this.options);
      },
    });
  }

  async consume<E extends EventContract>(event: E, durable: string, handler: ConsumeHandler<E>): Promise<Subscription> {
    mayHear(this.service, event);
    const name = durableName(this.service, durable, event);
    const consumption = new Consumption(event, durable, handler, this.options);
    return this.loop(event.subject, {
      open: () => openDurable(this.manager, name, event.subject),
      handle: (message) => handleDurable(message, consumption),
    });
  }

  /** Ends every subscription; resolves when their handlers have finished. */
  async close(): Promise<void> {
    await Promise.all([...this.running].map((loop) => this.end(loop)));
  }

  private async store(subject: string, payload: unknown, dedupId: string): Promise<void> {
    const text = encode(payload);
    this.refuseWhenDown();
    try {
      await this.put(subject, text, dedupId);
    } catch (error) {
      throw isOversize(error) ? new Refusal('too_large', { subject }) : this.unavailable(subject, error);
    }
  }

  private async put(subject: string, text: string, dedupId: string): Promise<void> {
    const stream = this.manager.jetstream();
    const put = (): Promise<unknown> => stream.publish(subject, text, { msgID: dedupId, timeout: PUBLISH_LIMIT_MS });
    await put().catch(async (error: unknown) => {
      if (!isNobodyStoring(error)) throw error;
      // The server lost its stream: nobody else may be there to make it again.
      await ensureEventStream(this.manager);
      await put();
    });
  }

  private async loop(subject: string, plan: Omit<MessagePlan, 'interrupted'>): Promise<Subscription> {
    this.refuseWhenDown();
    const interrupted = (error: unknown): void => this.options.log?.warn({ err: error, subject }, 'reading events was interrupted, going on');
    const loop = await MessageLoop.start({ ...plan, interrupted }).catch((error: unknown) => {
      throw this.unavailable(subject, error);
    });
    this.running.add(loop);
    return { close: () => this.end(loop) };
  }

  private async end(loop: Subscription): Promise<void> {
    this.running.delete(loop);
    await loop.close();
    // The server must know that nobody pulls any more, or it sends the next event here in vain.
    if (this.client.state() === 'up') await within(FLUSH_LIMIT_MS, this.client.unwrap<NatsConnection>().flush());
  }

  private refuseWhenDown(): void {
    if (this.client.state() === 'down') throw new Refusal('service_unavailable');
  }

  private unavailable(subject: string, error: unknown): Refusal {
    this.options.log?.warn({ err: error, subject }, 'the event stream did not answer');
    return new Refusal('service_unavailable', { subject });
  }
}

// The client says "JetStream is not enabled" when no stream listens on the subject.
function isNobodyStoring(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}
