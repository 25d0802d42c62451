import { randomUUID } from 'node:crypto';
import type { JsonValue } from '@gatehouse/kernel';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import type { Database, Transaction } from './database.js';
import type { Migration } from './migrations.js';

/** The outbox's table; every service that has an `Outbox` lists it among its migrations, first. */
export const OUTBOX_MIGRATION: Migration = {
  name: '0000_outbox',
  sql: `
    CREATE TABLE outbox (
      position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id uuid NOT NULL,
      subject text NOT NULL,
      payload json NOT NULL,
      written_at timestamptz NOT NULL DEFAULT now()
    )`,
};

/** Resolves once the bus has stored the event. */
export type Publish = (subject: string, payload: JsonValue, dedupId: string) => Promise<void>;

interface Row {
  position: string;
  id: string;
  subject: string;
  payload: JsonValue;
}

type Outcome = 'more' | 'empty' | 'busy' | 'stuck';

const BATCH = 50;
const PAUSE_MS = { more: 0, empty: 1_000, busy: 100, stuck: 1_000 } as const;

/**
 * Events that leave when, and only when, the change they tell of was committed: at least once, in
 * the order of commit, one at a time over all replicas. A row stays until its publish resolved; its
 * id is the deduplication id, so that a repeat after a crash can be recognised. A publish that keeps
 * failing holds back what was written after it.
 */
export class Outbox {
  private running: Promise<void> | undefined;
  private stopped = false;
  private poked = false;
  private wake: () => void = () => undefined;

  /** `onTrouble` hears of every failed round: the bus or the database is not there. */
  constructor(
    private readonly db: Database,
    private readonly publish: Publish,
    private readonly onTrouble: (error: unknown) => void = () => undefined,
  ) {}

  /**
   * Adds an event to the caller's transaction. Writers of one schema take turns from here to their
   * commit, because a number drawn early and committed late would be overtaken: add last.
   */
  async add(tx: Transaction, subject: string, payload: JsonValue): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))', [ADVISORY_LOCKS.outboxWrite]);
    const values = [randomUUID(), subject, JSON.stringify(payload)];
    await tx.query('INSERT INTO outbox (id, subject, payload) VALUES ($1, $2, $3)', values);
  }

  /** Call after the commit: without it the event leaves within a second. */
  poke(): void {
    this.poked = true;
    this.wake();
  }

  /** Begins to relay, in the background, until `stop`. */
  start(): void {
    this.running ??= this.relay();
  }

  /** Resolves when the publish under way is done; what is left goes out after the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running;
  }

  private async relay(): Promise<void> {
    while (!this.stopped) {
      this.poked = false;
      await this.pause(PAUSE_MS[await this.round()]);
    }
  }

  private async round(): Promise<Outcome> {
    try {
      return await this.db.transaction((tx) => this.relayBatch(tx));
    } catch (error) {
      this.onTrouble(error);
      return 'stuck';
    }
  }

  private async relayBatch(tx: Transaction): Promise<Outcome> {
    const [lock] = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema())) AS mine', [
      ADVISORY_LOCKS.outboxRelay,
    ]);
    if (lock?.mine !== true) return 'busy';
    const rows = await tx.query<Row>('SELECT position, id, subject, payload FROM outbox ORDER BY position LIMIT $1', [BATCH]);
    for (const row of rows) {
      if (this.stopped || !(await this.delivered(row))) return 'stuck';
      await tx.query('DELETE FROM outbox WHERE position = $1', [row.position]);
    }
    return rows.length === BATCH ? 'more' : 'empty';
  }

  // A failed publish must not undo the deletion of the rows before it, so it is told by the result.
  private async delivered({ subject, payload, id }: Row): Promise<boolean> {
    try {
      await this.publish(subject, payload, id);
      return true;
    } catch (error) {
      this.onTrouble(error);
      return false;
    }
  }

  private async pause(ms: number): Promise<void> {
    if (ms === 0 || this.poked || this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => (clearTimeout(timer), resolve());
    });
    this.wake = () => undefined;
  }
}
