import { ClientNats, type Deserializer, type IncomingResponse } from '@nestjs/microservices';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { BusLog } from '../bus.js';
import { encode } from '../wire.js';
import type { NestNatsOptions } from './connection-options.js';
import { TransportLog } from './transport-log.js';

/** Nest's NATS client with requests that fail at once when the connection is lost. */
export class NatsClient extends ClientNats {
  protected override readonly logger: TransportLog;
  private up = false;
  private closed = false;

  constructor(options: NestNatsOptions, log: BusLog | undefined) {
    super({ ...options, serializer: { serialize: (packet) => ({ data: encode(packet) }) }, deserializer: new ReplyReader() });
    this.logger = new TransportLog(log);
    this.status.subscribe((status) => this.noteStatus(String(status)));
  }

  state(): 'up' | 'down' {
    return this.up ? 'up' : 'down';
  }

  /** Unlike Nest's own, does not come back by itself once closed. */
  override async connect(): Promise<NatsConnection> {
    if (this.closed) throw new Error('connection closed');
    return (await super.connect()) as NatsConnection;
  }

  override async close(): Promise<void> {
    this.closed = true;
    this.up = false;
    await super.close();
  }

  private noteStatus(status: string): void {
    this.up = status === 'connected';
    // Replies to requests in flight will not come: their inboxes are gone with the connection.
    if (status === 'disconnected') this.handleClose();
  }
}

// A reply that is not JSON would otherwise be an unhandled rejection, which ends the process.
class ReplyReader implements Deserializer<Msg, IncomingResponse> {
  deserialize(message: Msg): IncomingResponse {
    try {
      return message.json<IncomingResponse>();
    } catch {
      // The content is not ours to quote: the caller is told of an internal error.
      return { id: '', err: {}, isDisposed: true };
    }
  }
}
