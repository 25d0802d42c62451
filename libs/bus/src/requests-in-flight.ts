import type { WritePacket } from '@nestjs/microservices';

/** Sends one packet of a reply. */
export type Respond = (packet: WritePacket) => Promise<unknown> | void;

/** Counts requests whose reply is not sent yet, so that an instance can finish them before it leaves. */
export class RequestsInFlight {
  private count = 0;
  private readonly waiting = new Set<() => void>();

  /** Begins one request; the returned `respond` ends it with the packet that closes the reply. */
  begin(respond: Respond): Respond {
    this.count += 1;
    return (packet) => {
      try {
        return respond(packet);
      } finally {
        if (packet.isDisposed === true) this.end();
      }
    };
  }

  /** Resolves when none is left, or after `limitMs`. */
  settled(limitMs: number): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private end(): void {
    this.count -= 1;
    if (this.count > 0) return;
    this.waiting.forEach((done) => done());
    this.waiting.clear();
  }
}
