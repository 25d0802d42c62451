import type { Logger } from '@gatehouse/telemetry';

const POLL_MS = 200;

interface Waiter {
  readonly after: number;
  readonly wake: () => void;
}

/**
 * Knows how long the log is: at once for commits of this process, within 200 ms for those of other replicas.
 * Asks the database only while somebody waits.
 */
export class LogWatch {
  private readonly waiters = new Set<Waiter>();
  /** Set when the service stops: nobody is to wait any more. */
  closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly readLength: () => Promise<number>,
    private readonly log: Logger,
  ) {}

  /** Resolves when the log is longer than `after`, or after `ms`. */
  async longerThan(after: number, ms: number): Promise<void> {
    let limit: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    await new Promise<void>((wake) => {
      waiter = { after, wake };
      this.waiters.add(waiter);
      limit = setTimeout(wake, ms);
      this.timer ??= setInterval(() => void this.poll(), POLL_MS);
    });
    clearTimeout(limit);
    if (waiter !== undefined) this.waiters.delete(waiter);
    if (this.waiters.size === 0) this.rest();
  }

  /** The log is so long now. */
  grown(length: number): void {
    for (const { after, wake } of this.waiters) if (length > after) wake();
  }

  /** Wakes everybody. */
  close(): void {
    this.closed = true;
    this.grown(Number.POSITIVE_INFINITY);
    this.rest();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async poll(): Promise<void> {
    try {
      this.grown(await this.readLength());
    } catch (error) {
      this.log.debug({ err: error }, 'the length of the audit log could not be read');
    }
  }
}
