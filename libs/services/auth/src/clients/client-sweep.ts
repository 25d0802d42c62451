import type { Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { RegistrationSettings } from './registration-settings.js';

const EVERY_MS = 60_000;
const AT_ONCE = 1_000;
const DAY_MS = 86_400_000;
/** Any number, the same in every replica; advisory locks are the database's, so other schemas must choose others. */
const LOCK = 0x6761_7465;

/** What a sweep works with. */
export interface SweepParts {
  db: Database;
  settings: RegistrationSettings;
  log: Logger;
  clock: Clock;
}

/**
 * Forgets, a thousand rows at a time, what is over: expired codes, tokens, grants and sessions, and
 * registrations and documents that got no token in so many days. A client with a live grant stays: its next request
 * would fail in a way that clients do not recover from (auth.md A16). False when another replica is at it.
 */
export function sweepClients({ db, settings, clock }: SweepParts): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [lock] = await tx.query<{ ours: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS ours', [LOCK]);
    if (lock?.ours !== true) return false;
    const now = clock.now();
    await forgetArtefacts(tx, now);
    await forgetUnused(tx, now, now - (await settings.current()).unusedDays * DAY_MS);
    return true;
  });
}

async function forgetArtefacts(tx: Transaction, nowMs: number): Promise<void> {
  await tx.query(
    'DELETE FROM artefacts WHERE expires_at <= $1 AND (model, id_hash) IN (SELECT model, id_hash FROM artefacts WHERE expires_at <= $1 LIMIT $2)',
    [nowMs, AT_ONCE],
  );
}

async function forgetUnused(tx: Transaction, nowMs: number, beforeMs: number): Promise<void> {
  await tx.query(
    `DELETE FROM clients WHERE id IN (
       SELECT c.id FROM clients c
        WHERE c.kind IN ('dynamic', 'metadata-document') AND c.status <> 'denied' AND c.used_at IS NULL AND c.created_at < $1
          AND NOT EXISTS (SELECT 1 FROM artefacts a WHERE a.client_id = c.id AND (a.expires_at IS NULL OR a.expires_at > $2))
        LIMIT $3)`,
    [beforeMs, nowMs, AT_ONCE],
  );
}

/** Sweeps every minute, in one replica at a time. */
export class ClientSweep {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: SweepParts) {}

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
      await sweepClients(this.parts);
    } catch (error) {
      this.parts.log.warn({ err: error }, 'what is over could not be swept');
    }
  }
}
