import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { encode } from '../wire.js';
import type { InProcessBroker } from './in-process-broker.js';

/** Nest's client over the broker. */
export class InProcessClient extends ClientProxy {
  private closed = false;

  constructor(private readonly broker: InProcessBroker) {
    super();
  }

  async connect(): Promise<void> {
    if (this.closed) throw new Error('connection closed');
  }

  /** Requests that still wait fail, as they do when a NATS connection closes. */
  close(): void {
    this.closed = true;
    const waiting = [...this.routingMap.values()];
    this.routingMap.clear();
    waiting.forEach((callback) => callback({ err: new Error('connection closed') }));
  }

  unwrap<T>(): T {
    return this.broker as T;
  }

  protected publish(partial: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const packet = this.assignPacketId(partial);
    const receivers = this.broker.send(String(packet.pattern), encode(packet), (text) => this.answered(packet.id, text));
    if (receivers === 0) {
      callback({ err: new Error('no responders'), isDisposed: true });
      return () => undefined;
    }
    this.routingMap.set(packet.id, callback);
    return () => void this.routingMap.delete(packet.id);
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    return this.broker.send(String(packet.pattern), encode(packet)) as T;
  }

  private answered(id: string, text: string): void {
    // Gone when the caller's time was over: the late answer is dropped.
    this.routingMap.get(id)?.(JSON.parse(text) as WritePacket);
  }
}
