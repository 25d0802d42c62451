import { Logger } from '@nestjs/common';
import type { BusLog } from '../bus.js';

/** Nest's transports print to the console unless told otherwise; this hands their lines to the bus's log, or to nobody. */
export class TransportLog extends Logger {
  constructor(private readonly sink: BusLog | undefined) {
    super('Bus');
  }

  override log(message: unknown): void {
    this.sink?.info({}, String(message));
  }

  override warn(message: unknown): void {
    this.sink?.warn({}, String(message));
  }

  override error(message: unknown): void {
    this.sink?.error(message instanceof Error ? { err: message } : {}, message instanceof Error ? 'nats transport error' : String(message));
  }

  override debug(): void {
    // Pings: nobody reads them.
  }

  override verbose(): void {
    // As above.
  }
}
