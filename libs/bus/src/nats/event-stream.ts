import { DiscardPolicy, RetentionPolicy, StorageType, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { EVENT_ROOT } from '../event-rules.js';

/** The JetStream stream that keeps every event; operators may change its replicas and limits. */
export const EVENT_STREAM = 'GATEHOUSE_EVENTS';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEDUP_MS = 10 * 60 * 1000;

/** The stream's state; creates the stream when it is not there. Runs on nats-server 2.9 and later. */
export async function ensureEventStream(manager: JetStreamManager): Promise<StreamInfo> {
  const known = await existing(manager);
  if (known !== undefined) return known;
  return manager.streams.add({
    name: EVENT_STREAM,
    subjects: [`${EVENT_ROOT}>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    max_age: nanos(DAY_MS),
    duplicate_window: nanos(DEDUP_MS),
  });
}

async function existing(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(EVENT_STREAM);
  } catch (error) {
    if ((error as Error).name === 'StreamNotFoundError' || (error as Error).message === 'stream not found') return undefined;
    throw error;
  }
}
