import type { EventContract } from '@gatehouse/contracts';
import { AckPolicy, DeliverPolicy, type ConsumerMessages, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Consumption } from '../delivery.js';
import { ensureEventStream, EVENT_STREAM } from './event-stream.js';

// How late an event can be that an instance took with it when it was killed; a slow handler keeps saying it works.
const ACK_WAIT_MS = 10_000;
const STILL_WORKING_EVERY_MS = 3_000;
// Short pulls: after a restart of the server a lost pull is noticed and repeated within this time.
const PULL_EXPIRES_MS = 5_000;

/** Makes sure that the durable exists and pulls from it one message at a time, so that instances share evenly. */
export async function openDurable(manager: JetStreamManager, name: string, subject: string): Promise<ConsumerMessages> {
  await ensureEventStream(manager);
  // Idempotent; deliveries are counted by us, because a server-side limit would drop events without a word.
  await manager.consumers.add(EVENT_STREAM, {
    durable_name: name,
    filter_subject: subject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
  });
  const consumer = await manager.jetstream().consumers.get(EVENT_STREAM, name);
  return consumer.consume({ max_messages: 1, expires: PULL_EXPIRES_MS, abort_on_missing_resource: true });
}

/** Handles one message and answers the server; an answer that is lost means another delivery. */
export async function handleDurable(message: JsMsg, consumption: Consumption<EventContract>): Promise<void> {
  const working = setInterval(() => message.working(), STILL_WORKING_EVERY_MS);
  const verdict = await consumption.deliver({ text: message.string(), attempt: message.info.deliveryCount });
  clearInterval(working);
  if (verdict.kind === 'done') message.ack();
  else if (verdict.kind === 'retry') message.nak(verdict.afterMs);
  else message.term();
}
