import { BaseRpcContext, Server, type CustomTransportStrategy, type WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { encodeReply } from '../encode-reply.js';
import { RequestsInFlight, type Respond } from '../requests-in-flight.js';
import type { InProcessBroker, Reply } from './in-process-broker.js';

const FINISH_LIMIT_MS = 5_000;

/** The Nest transport of one service instance over the broker. */
export class InProcessServer extends Server implements CustomTransportStrategy {
  private readonly inFlight = new RequestsInFlight();
  private stops: (() => void)[] = [];

  constructor(
    private readonly broker: InProcessBroker,
    private readonly queue: string,
  ) {
    super();
  }

  listen(callback: () => void): void {
    for (const subject of this.messageHandlers.keys()) {
      this.stops.push(this.broker.subscribe(subject, (text, reply) => void this.receive(subject, text, reply), this.queue));
    }
    callback();
  }

  async close(): Promise<void> {
    this.stops.splice(0).forEach((stop) => stop());
    await this.inFlight.settled(FINISH_LIMIT_MS);
  }

  on(): void {
    // The broker has no events of its own: it is there as long as the process.
  }

  unwrap<T>(): T {
    return this.broker as T;
  }

  protected override handleRequest(context: BaseRpcContext, produce: () => Promise<Observable<unknown>>, respond: Respond): void {
    super.handleRequest(context, produce, this.inFlight.begin(respond));
  }

  private async receive(subject: string, text: string, reply: Reply | undefined): Promise<void> {
    const handler = this.getHandlerByPattern(subject);
    if (handler === null) return;
    const packet = JSON.parse(text) as { id: string; data: unknown };
    const context = new BaseRpcContext([subject]);
    const answer: Respond = (part: WritePacket) => reply?.(encodeReply({ ...part, id: packet.id }));
    this.handleRequest(context, async () => this.transformToObservable(await handler(packet.data, context)), answer);
  }
}
