import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';

const EVERY_MS = 60_000;
const AT_ONCE = 1_000;

/**
 * Forgets denied grants that no token of can live any more; at most a thousand, so that it never
 * takes long. The directory leaves them out already: its version stays.
 */
export async function sweepDenied(db: Transaction, nowMs: number): Promise<void> {
  // Asked twice, because a grant may be denied anew between the two looks.
  await db.query('DELETE FROM denied WHERE until <= $1 AND id IN (SELECT id FROM denied WHERE until <= $1 LIMIT $2)', [nowMs, AT_ONCE]);
}

/** Sweeps every minute; every replica does, which costs nothing. */
export class DeniedSweep {
  private timer: NodeJS.Timeout | undefined;
  private running = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly log: Logger,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Begins, until `stop`. */
  start(): void {
    this.timer ??= setInterval(() => (this.running = this.sweep()), EVERY_MS).unref();
  }

  /** Resolves when the sweep under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async sweep(): Promise<void> {
    try {
      await sweepDenied(this.db, this.clock.now());
    } catch (error) {
      this.log.warn({ err: error }, 'denied grants could not be swept');
    }
  }
}
