import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';

/** What came of one batch; `last` is where the next one begins, undefined when there was nothing more. */
export interface Batch {
  moved: number;
  failed: number;
  last: string | undefined;
}

/** Rows that are moved from one key to another, a few at a time. */
export interface Move {
  what: 'root' | 'secrets';
  /** Names the key that everything is moved to. */
  target(): Promise<string>;
  /** How many rows are elsewhere. */
  left(tx: Transaction): Promise<number>;
  /** Moves the first rows after `after` that are elsewhere, each by compare-and-set. */
  batch(tx: Transaction, after: string): Promise<Batch>;
  /** Tidies up while nothing is left; `hasMoved` when a move has just ended. */
  finish(tx: Transaction, hasMoved: boolean): Promise<void>;
}

/** How far a move is, as the table has it. */
export interface MoveRow {
  total: number;
  moved: number;
  failed: number;
  startedAt: number | null;
  finishedAt: number | null;
}

// First key of a two-part advisory lock; the second is the hash of schema and move.
const MOVE_LOCK = 7_201;

/**
 * Moves everything that is elsewhere; false when another replica is at it. Each batch is a
 * transaction of its own under an advisory lock, and every row is readable before, during and after
 * it: whoever is killed in between leaves a shorter way to the next one.
 */
export async function runMove(db: Database, move: Move, clock: Clock = systemClock): Promise<boolean> {
  const target = await move.target();
  const isNeeded = (await move.left(db)) > 0 || !(await isFinished(db, move.what));
  for (let after: string | undefined = isNeeded ? '' : undefined; after !== undefined; ) {
    const from: string = after;
    const outcome: Batch | undefined = await exclusively(db, move.what, async (tx) => {
      if (from === '') await begin(tx, move, { target, nowMs: clock.now() });
      const batch = await move.batch(tx, from);
      await tx.query('UPDATE rotations SET moved = moved + $2, failed = failed + $3 WHERE what = $1', [move.what, batch.moved, batch.failed]);
      return batch;
    });
    if (outcome === undefined) return false;
    after = outcome.last;
  }
  const finished = await exclusively(db, move.what, (tx) => finish(tx, move, clock.now()));
  return finished ?? false;
}

/** What the table says of a move; zeros before the first one. */
export async function moveRow(tx: Transaction, what: Move['what']): Promise<MoveRow> {
  const [row] = await tx.query<MoveRow>(
    `SELECT total, moved, failed, started_at::float8 AS "startedAt", finished_at::float8 AS "finishedAt" FROM rotations WHERE what = $1`,
    [what],
  );
  return row ?? { total: 0, moved: 0, failed: 0, startedAt: null, finishedAt: null };
}

async function isFinished(tx: Transaction, what: Move['what']): Promise<boolean> {
  const { startedAt, finishedAt } = await moveRow(tx, what);
  return startedAt === null || finishedAt !== null;
}

async function exclusively<T>(db: Database, what: string, work: (tx: Transaction) => Promise<T>): Promise<T | undefined> {
  return db.transaction(async (tx) => {
    const [lock] = await tx.query<{ held: boolean }>(`SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema() || $2)) AS held`, [MOVE_LOCK, ` ${what}`]);
    return lock?.held === true ? work(tx) : undefined;
  });
}

// One that was interrupted goes on under its own figures; a new target or a new start has new ones.
async function begin(tx: Transaction, move: Move, { target, nowMs }: { target: string; nowMs: number }): Promise<void> {
  await tx.query(
    `INSERT INTO rotations AS r (what, target, started_at, total) VALUES ($1, $2, $3, $4)
     ON CONFLICT (what) DO UPDATE SET target = $2, started_at = $3, total = $4, moved = 0, failed = 0, finished_at = NULL
      WHERE r.target <> $2 OR r.finished_at IS NOT NULL`,
    [move.what, target, nowMs, await move.left(tx)],
  );
  await tx.query('UPDATE rotations SET failed = 0 WHERE what = $1', [move.what]);
}

async function finish(tx: Transaction, move: Move, nowMs: number): Promise<boolean> {
  if ((await move.left(tx)) > 0) return false;
  const ended = await tx.query('UPDATE rotations SET finished_at = $2 WHERE what = $1 AND finished_at IS NULL RETURNING what', [move.what, nowMs]);
  await move.finish(tx, ended.length > 0);
  return true;
}
