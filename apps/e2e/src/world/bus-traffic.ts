import { connect } from '@nats-io/transport-node';
import type { DistributedWorld } from './distributed-world.js';
import type { World } from './world.js';

/** Everything that was said on the bus while it was listened to. */
export interface BusTraffic {
  seen(): Buffer;
  close(): Promise<void>;
}

/** Listens to every subject of NATS, inboxes included. In the one process nothing leaves its memory, so nothing is seen. */
export async function busTraffic(world: World): Promise<BusTraffic> {
  const { stores } = world as Partial<DistributedWorld>;
  if (stores === undefined) return { seen: () => Buffer.alloc(0), close: async () => undefined };
  const connection = await connect({ servers: stores.nats.url });
  const heard: Buffer[] = [];
  connection.subscribe('>', { callback: (_error, message) => void heard.push(Buffer.from(`${message.subject} `), Buffer.from(message.data)) });
  await connection.flush();
  return { seen: () => Buffer.concat(heard), close: () => connection.close() };
}
