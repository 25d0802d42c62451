import type { auditContracts } from '@gatehouse/contracts';
import type { Database, Transaction } from '@gatehouse/persistence';
import { Cursors, type Place } from './cursor.js';
import { canMatch, conditionsOf } from './filter-sql.js';
import type { LogWatch } from './log-watch.js';
import { fitting } from './page-bytes.js';

type Filter = auditContracts.RecordFilter;

/** What is asked for, with the contract's defaults filled in. */
export interface RecordQuery {
  filter: Filter;
  follow: boolean;
  cursor: string | null;
  limit: number;
  waitMs: number;
}

/** One page. */
export interface RecordPage {
  items: auditContracts.AuditRecord[];
  nextCursor: string | null;
}

interface Row {
  call_id: string;
  edge: string;
  at: string;
  last_seq: string;
  facts: auditContracts.RecordFacts;
  outcome: auditContracts.RecordOutcome | null;
}

const STATEMENT_LIMIT_MS = 5_000;
const COLUMNS = 'call_id, edge, at, last_seq, facts, outcome';

/** Reads what was recorded. */
export class Records {
  private cursors: Promise<Cursors> | undefined;

  constructor(
    private readonly db: Database,
    private readonly watch: LogWatch,
  ) {}

  /**
   * One page. Newest first: ordered by time and id, `nextCursor` is null on the last page. Follow: in commit
   * order, `nextCursor` is never null; without a cursor it begins with what is committed from now on, or with
   * the oldest record when `since` is given; a record comes again when its outcome arrives. A page ends before
   * `limit` when it would outgrow the bus; its cursor goes on exactly there. Refusals: `invalid_cursor`;
   * `service_timeout` when the database needs more than five seconds.
   */
  async page(query: RecordQuery): Promise<RecordPage> {
    const cursors = await this.knownCursors();
    return query.follow ? this.follow(query, cursors) : this.newest(query, cursors);
  }

  private async newest({ filter, cursor, limit }: RecordQuery, cursors: Cursors): Promise<RecordPage> {
    const place = cursor === null ? undefined : cursors.read(cursor, filter, 'time');
    const rows = await this.bounded((tx) => selectNewest(tx, filter, place, limit + 1));
    const items = fitting(rows.slice(0, limit).map(toRecord));
    const last = items.at(-1);
    const more = rows.length > items.length && last !== undefined;
    return { items, nextCursor: more ? cursors.write({ order: 'time', at: last.at, id: last.id }, filter) : null };
  }

  private async follow({ filter, cursor, limit, waitMs }: RecordQuery, cursors: Cursors): Promise<RecordPage> {
    const until = performance.now() + waitMs;
    let after = await this.startOf(filter, cursor, cursors);
    for (;;) {
      // Read before the rows: what is not among them up to here does not fit the filter.
      const length = await this.length();
      const rows = length > after ? await this.bounded((tx) => selectCommitted(tx, filter, after, limit)) : [];
      const items = fitting(rows.map(toRecord));
      const last = items.at(-1)?.seq ?? 0;
      const isAll = items.length === rows.length && rows.length < limit;
      after = isAll ? Math.max(after, length, last) : last;
      const left = until - performance.now();
      const isOver = items.length > 0 || left <= 0 || this.watch.closed;
      if (isOver) return { items, nextCursor: cursors.write({ order: 'commit', seq: after }, filter) };
      await this.watch.longerThan(after, left);
    }
  }

  private async startOf(filter: Filter, cursor: string | null, cursors: Cursors): Promise<number> {
    if (cursor === null) return filter.since === undefined ? this.length() : 0;
    const place = cursors.read(cursor, filter, 'commit');
    return place.order === 'commit' ? place.seq : 0;
  }

  private length(): Promise<number> {
    return readLength(this.db);
  }

  private bounded<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.query(`SET LOCAL statement_timeout = ${STATEMENT_LIMIT_MS}`);
      return work(tx);
    });
  }

  private knownCursors(): Promise<Cursors> {
    this.cursors ??= this.db.query<{ key: Buffer }>('SELECT key FROM cursor_key').then(([row]) => new Cursors(row?.key ?? Buffer.alloc(0)));
    // After a failure the key is asked for again.
    this.cursors.catch(() => (this.cursors = undefined));
    return this.cursors;
  }
}

/** The number of the newest committed entry. */
export async function readLength(db: Database): Promise<number> {
  const [head] = await db.query<{ seq: string }>('SELECT seq FROM log_head');
  return Number(head?.seq ?? 0);
}

async function selectNewest(tx: Transaction, filter: Filter, place: Place | undefined, limit: number): Promise<Row[]> {
  if (!canMatch(filter)) return [];
  const conditions = conditionsOf(filter);
  const after = place?.order === 'time' ? ` AND (at, call_id) < (${conditions.bind(place.at)}::bigint, ${conditions.bind(place.id)}::text)` : '';
  const sql = `SELECT ${COLUMNS} FROM records WHERE ${conditions.sql}${after} ORDER BY at DESC, call_id DESC LIMIT ${conditions.bind(limit)}::int`;
  return tx.query<Row>(sql, conditions.params);
}

async function selectCommitted(tx: Transaction, filter: Filter, after: number, limit: number): Promise<Row[]> {
  if (!canMatch(filter)) return [];
  const conditions = conditionsOf(filter);
  conditions.add('last_seq > $::bigint', after);
  const sql = `SELECT ${COLUMNS} FROM records WHERE ${conditions.sql} ORDER BY last_seq LIMIT ${conditions.bind(limit)}::int`;
  return tx.query<Row>(sql, conditions.params);
}

function toRecord(row: Row): auditContracts.AuditRecord {
  return { id: row.call_id, seq: Number(row.last_seq), at: Number(row.at), facts: row.facts, outcome: row.outcome, edge: row.edge };
}
