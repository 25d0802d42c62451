import { ServerNats, type BaseRpcContext } from '@nestjs/microservices';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Observable } from 'rxjs';
import type { BusLog } from '../bus.js';
import { encodeReply } from '../encode-reply.js';
import { RequestsInFlight, type Respond } from '../requests-in-flight.js';
import type { NestNatsOptions } from './connection-options.js';
import { TransportLog } from './transport-log.js';
import { within } from './within.js';

const FINISH_LIMIT_MS = 5_000;
const FLUSH_LIMIT_MS = 1_000;

/** Nest's NATS transport, which finishes the requests it has taken before it leaves. */
export class NatsServer extends ServerNats {
  protected override readonly logger: TransportLog;
  private readonly inFlight = new RequestsInFlight();
  private readonly taken: Subscription[] = [];
  private condition: 'idle' | 'up' | 'down' = 'idle';

  constructor(
    options: NestNatsOptions,
    private readonly queueGroup: string,
    log: BusLog | undefined,
  ) {
    super({ ...options, serializer: { serialize: (packet) => ({ data: encodeReply(packet) }) } });
    this.logger = new TransportLog(log);
    this.status.subscribe((status) => void (this.condition = String(status) === 'connected' ? 'up' : 'down'));
  }

  /** 'down' only between listening and closing: a server that does not listen keeps nobody waiting. */
  state(): 'up' | 'down' {
    return this.condition === 'down' ? 'down' : 'up';
  }

  /** Calls back when the NATS server knows of the subscriptions, so that no early request finds nobody. */
  override start(callback: (error?: unknown) => void): void {
    const connection = this.unwrap<NatsConnection>();
    this.bindEvents(connection);
    connection.flush().then(() => callback(), callback);
  }

  override bindEvents(connection: NatsConnection): void {
    for (const subject of this.messageHandlers.keys()) {
      const callback = this.getMessageHandler(subject) as (error: Error | null) => void;
      this.taken.push(connection.subscribe(subject, { queue: this.queueGroup, callback }));
    }
  }

  override async close(): Promise<void> {
    const taken = this.taken.splice(0);
    if (taken.length > 0) {
      await within(FLUSH_LIMIT_MS, Promise.all(taken.map((subscription) => subscription.drain())));
      await this.inFlight.settled(FINISH_LIMIT_MS);
      await within(FLUSH_LIMIT_MS, this.unwrap<NatsConnection>().flush());
    }
    await super.close();
    this.condition = 'idle';
  }

  protected override handleRequest(context: BaseRpcContext, produce: () => Promise<Observable<unknown>>, respond: Respond): void {
    super.handleRequest(context, produce, this.inFlight.begin(respond));
  }
}
