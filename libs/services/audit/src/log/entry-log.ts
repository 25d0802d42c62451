import { createHash } from 'node:crypto';
import { Refusal } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger, Metrics } from '@gatehouse/telemetry';
import { APPEND, BURY, KNOWN, LOCK_EDGE, MOVE_EDGE, NOTE_GAPS, TAKEN_IDS } from './append-sql.js';
import { checkEntry, isValid, type Arrived, type Invalid, type Valid } from './check-entry.js';
import { pack } from './pack.js';

interface Options {
  readonly db: Database;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Hears the new length of the log after each commit. */
  readonly onCommit: (seq: number) => void;
}

/** What one batch did. */
interface Appended {
  readonly upTo: number;
  /** The length of the log after it, when it grew. */
  readonly seq: number | undefined;
  /** Entries added to the log. */
  readonly appended: number;
  readonly gaps: readonly Gap[];
  readonly buried: readonly Invalid[];
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

/** The log of all edges. What `append` confirmed is on the database's stable storage, once. */
export class EntryLog {
  private readonly counts;

  constructor(private readonly options: Options) {
    const { metrics } = options;
    this.counts = {
      entries: metrics.counter('gatehouse_audit_entries_total', 'Entries committed to the audit log.'),
      deadLetters: metrics.counter('gatehouse_audit_dead_letters_total', 'Entries that could not be read and were put aside.'),
      gaps: metrics.counter('gatehouse_audit_gaps_total', 'Stretches of numbers that an edge skipped.'),
    };
  }

  /**
   * Commits an edge's entries in one transaction and resolves to the receipt. Entries that are known are left
   * out; what is no valid entry goes to `dead_letters` and does not hold up the rest; numbers that were skipped
   * are noted in `gaps`. Refusal `bad_params` when the numbers do not ascend.
   */
  async append(edge: string, entries: readonly Arrived[]): Promise<{ upTo: number }> {
    refuseDisorder(entries);
    const appended = await this.commit(edge, entries.map((entry) => checkEntry(edge, entry)));
    this.report(edge, appended);
    return { upTo: appended.upTo };
  }

  private async commit(edge: string, checked: readonly (Valid | Invalid)[]): Promise<Appended> {
    const { db } = this.options;
    try {
      return await db.transaction((tx) => appendTo(tx, edge, checked));
    } catch (error) {
      // An event id used twice is the edge's mistake; looking for it each time would cost every batch a query.
      if (!(error instanceof Refusal && error.code === 'conflict')) throw error;
      return db.transaction(async (tx) => appendTo(tx, edge, await withoutTakenIds(tx, edge, checked)));
    }
  }

  private report(edge: string, { seq, appended, gaps, buried }: Appended): void {
    const { log, onCommit } = this.options;
    for (const gap of gaps) log.error({ edge, ...gap }, 'an edge skipped numbers: entries are missing from the audit log');
    for (const { seq: edgeSeq, reason } of buried) log.error({ edge, edgeSeq, problem: reason }, 'an audit entry was put aside');
    this.counts.gaps.inc(gaps.length);
    this.counts.deadLetters.inc(buried.length);
    this.counts.entries.inc(appended);
    if (seq !== undefined) onCommit(seq);
  }
}

function refuseDisorder(entries: readonly Arrived[]): void {
  const disordered = entries.some(({ seq }, i) => i > 0 && seq <= entries[i - 1]!.seq);
  if (disordered) throw new Refusal('bad_params', { problem: 'the numbers of the entries do not ascend' });
}

async function appendTo(tx: Transaction, edge: string, checked: readonly (Valid | Invalid)[]): Promise<Appended> {
  const [head] = await tx.query<{ last_seq: string }>(LOCK_EDGE, [edge]);
  const last = Number(head?.last_seq ?? 0);
  const fresh = checked.filter(({ seq }) => seq > last);
  const known = checked.filter(({ seq }) => seq <= last);
  const buried = await bury(tx, edge, [...fresh.filter((entry): entry is Invalid => !isValid(entry)), ...(await reused(tx, edge, known))]);
  const upTo = fresh.at(-1)?.seq;
  if (upTo === undefined) return { upTo: last, seq: undefined, appended: 0, gaps: [], buried };
  const gaps = await noteGaps(tx, edge, last, fresh);
  const valid = fresh.filter(isValid);
  const seq = await insert(tx, edge, valid);
  await tx.query(MOVE_EDGE, [edge, upTo]);
  return { upTo, seq, appended: valid.length, gaps, buried };
}

async function insert(tx: Transaction, edge: string, entries: readonly Valid[]): Promise<number | undefined> {
  if (entries.length === 0) return undefined;
  const { bytes, places } = pack(entries);
  const numbers = entries.map(({ seq }) => seq);
  const [head] = await tx.query<{ seq: string }>(APPEND, [bytes, numbers, ...places, entries.length, edge]);
  return Number(head?.seq);
}

async function noteGaps(tx: Transaction, edge: string, last: number, fresh: readonly Arrived[]): Promise<Gap[]> {
  const gaps = fresh.flatMap(({ seq }, i) => {
    const from = (fresh[i - 1]?.seq ?? last) + 1;
    return seq > from ? [{ from, to: seq - 1 }] : [];
  });
  if (gaps.length > 0) await tx.query(NOTE_GAPS, [edge, gaps.map(({ from }) => from), gaps.map(({ to }) => to)]);
  return gaps;
}

/** Known numbers with another content: the edge's folder was restored from a copy. Put aside, so that nothing is lost. */
async function reused(tx: Transaction, edge: string, known: readonly (Valid | Invalid)[]): Promise<Invalid[]> {
  if (known.length === 0) return [];
  const rows = await tx.query<{ edge_seq: string; hash: string }>(KNOWN, [edge, known.map(({ seq }) => seq)]);
  const hashes = new Map(rows.map(({ edge_seq, hash }) => [Number(edge_seq), hash]));
  return known.filter(({ seq, body }) => hashes.get(seq) !== leafHash(body)).map((entry) => ({ reason: 'the number is not new and what is known under it differs', ...entry }));
}

/** Resolves to those that were not put aside before. */
async function bury(tx: Transaction, edge: string, letters: readonly Invalid[]): Promise<Invalid[]> {
  if (letters.length === 0) return [];
  const bodies = letters.map(({ body }) => Buffer.from(body, 'utf8').toString('hex'));
  const rows = await tx.query<{ edge_seq: string }>(BURY, [edge, letters.map(({ seq }) => seq), letters.map(({ reason }) => reason), bodies]);
  const fresh = new Set(rows.map(({ edge_seq }) => Number(edge_seq)));
  return letters.filter(({ seq }) => fresh.has(seq));
}

async function withoutTakenIds(tx: Transaction, edge: string, checked: readonly (Valid | Invalid)[]): Promise<(Valid | Invalid)[]> {
  const [head] = await tx.query<{ last_seq: string }>(LOCK_EDGE, [edge]);
  const last = Number(head?.last_seq ?? 0);
  const ids = checked.map(eventId);
  const taken = new Set((await tx.query<{ event_id: string }>(TAKEN_IDS, [ids.filter((id) => id !== undefined)])).map((row) => row.event_id));
  return checked.map((entry, i) => {
    const id = ids[i];
    if (id === undefined || entry.seq <= last) return entry;
    if (taken.has(id)) return { seq: entry.seq, body: entry.body, reason: 'the event id is taken' };
    taken.add(id);
    return entry;
  });
}

function eventId(entry: Valid | Invalid): string | undefined {
  return isValid(entry) ? (JSON.parse(entry.document) as { id: string }).id : undefined;
}

/** RFC 6962 section 2.1. */
function leafHash(body: string): string {
  return createHash('sha256').update(Buffer.of(0)).update(body, 'utf8').digest('hex');
}
