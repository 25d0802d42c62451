import type { Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';

/** What the schedule works with. */
export interface ProbeScheduleParts {
  changes: SnapshotChanges;
  clock: Clock;
  log: Logger;
  intervalMs: number;
}

const ROUNDS_PER_INTERVAL = 10;
const MAX_ROUND_MS = 15_000;

/**
 * Orders a probe of each running server that none was ordered for during an interval. When the last one was ordered
 * is in the database, so any number of replicas order as many probes as one would.
 */
export class ProbeSchedule {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly parts: ProbeScheduleParts) {}

  /** Begins; the first round is at once. */
  start(): void {
    const roundMs = Math.min(MAX_ROUND_MS, this.parts.intervalMs / ROUNDS_PER_INTERVAL);
    this.timer = setInterval(() => this.tick(), roundMs);
    this.tick();
  }

  /** Resolves when the round under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Orders what is due now; gives the number of orders. */
  async round(): Promise<number> {
    const due = this.parts.clock.now() - this.parts.intervalMs;
    const { result } = await this.parts.changes.apply(async (tx) => {
      const servers = await tx.query<{ id: string }>(`SELECT id FROM servers WHERE state = 'running' AND probe_ordered_at <= $1 ORDER BY id`, [due]);
      for (const { id } of servers) await this.parts.changes.orderProbe(tx, id);
      return { result: servers.length, changed: false };
    });
    return result;
  }

  private tick(): void {
    this.running ??= this.round()
      .then(() => undefined)
      // The next round does what this one could not.
      .catch((error: unknown) => this.parts.log.warn({ err: error }, 'probes could not be ordered'))
      .finally(() => (this.running = undefined));
  }
}
