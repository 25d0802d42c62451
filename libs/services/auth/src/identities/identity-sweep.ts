import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { Refreshes } from './refreshes.js';
import type { Shredder } from './shredder.js';

/** What a sweep works with. */
export interface IdentitySweepParts {
  db: Database;
  refreshes: Refreshes;
  shredder: Shredder;
  log: Logger;
  clock: Clock;
}

const EVERY_MS = 5_000;
const AT_ONCE = 20;
/** Who claimed one looks after it for so long; then another replica does. */
const CLAIM_MS = 60_000;
const USED_WITHIN_MS = 7 * 86_400_000;

/**
 * Refreshes ahead the identities that were used within a week, and destroys what is to be destroyed.
 * Every replica sweeps; each identity is claimed by one of them at a time.
 */
export class IdentitySweep {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly parts: IdentitySweepParts) {}

  /** Begins, until `stop`. */
  start(): void {
    this.timer ??= setInterval(() => this.poke(), EVERY_MS).unref();
  }

  /** Sweeps now, unless a sweep is under way. */
  poke(): void {
    if (this.stopped) return;
    this.running ??= this.attempt().finally(() => (this.running = undefined));
  }

  /** Resolves when the sweep under way, and every refresh of this instance, is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
    await this.parts.refreshes.idle();
  }

  /** One sweep: resolves when what was due is done. */
  async sweep(): Promise<void> {
    const { refreshes, shredder, log } = this.parts;
    for (const id of await this.toShred()) await shredder.shred(id);
    for (let due = await this.claim(); due.length > 0; due = due.length < AT_ONCE ? [] : await this.claim()) {
      await Promise.all(due.map((id) => refreshes.ahead(id).catch((error: unknown) => log.warn({ err: error, identityId: id }, 'an identity could not be refreshed ahead'))));
    }
  }

  private async attempt(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      this.parts.log.warn({ err: error }, 'identities could not be swept');
    }
  }

  private async toShred(): Promise<string[]> {
    const rows = await this.parts.db.query<{ id: string }>('SELECT id FROM identities WHERE shred_at <= $1 ORDER BY shred_at LIMIT $2', [this.parts.clock.now(), AT_ONCE]);
    return rows.map(({ id }) => id);
  }

  private async claim(): Promise<string[]> {
    const now = this.parts.clock.now();
    const rows = await this.parts.db.query<{ id: string }>(
      `UPDATE identities SET due_at = $2 WHERE id IN (
         SELECT id FROM identities WHERE due_at <= $1 AND NOT hidden AND status IN ('active', 'retrying') AND last_used_at > $3
          ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING id`,
      [now, now + CLAIM_MS, now - USED_WITHIN_MS, AT_ONCE],
    );
    return rows.map(({ id }) => id);
  }
}
