import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { newId } from '@gatehouse/kernel';
import { bodyOf, walkFrames, type Frame } from './frame.js';
import type { Phase } from './entry-text.js';
import { replaceFile, type Position, type PositionFile } from './position-file.js';
import type { Segment } from './segments.js';
import type { SpoolLog } from './spool-log.js';

/** What an earlier life of this edge left behind. */
export interface Remains {
  readonly edge: string;
  readonly segments: Segment[];
  /** The last sequence number given. */
  readonly lastSeq: number;
  /** Confirmed by the audit service. */
  readonly committed: number;
  /** Calls that began and have no outcome, with the place of their intent. */
  readonly open: Map<string, number>;
  /** When the oldest unshipped entry was made. */
  readonly oldestAt: number | undefined;
  /** Stretches of damage moved to `quarantine/`. */
  readonly damaged: number;
}

interface Head {
  readonly phase: Phase;
  readonly callId: string;
  readonly at: number;
  readonly origin: { readonly edge: string; readonly seq: number };
}

/** Reads a spool folder, cuts a torn end, moves damage aside, and tells what is left to do. */
export async function recover(dir: string, positions: PositionFile, log: SpoolLog): Promise<Remains> {
  const scan = new Scan(dir, await positions.load(), log);
  await scan.readAll();
  const edge = await edgeOf(dir, scan);
  const remains = scan.remains(edge);
  await positions.save({ edge, upTo: remains.committed, open: [...scan.carried].filter((callId) => remains.open.has(callId)) });
  return remains;
}

/** One pass over the segments, oldest first. */
class Scan {
  readonly carried: ReadonlySet<string>;
  edgeSeen: string | undefined;
  private readonly segments: Segment[] = [];
  private readonly open = new Map<string, number>();
  private oldestAt: number | undefined;
  private lastSeq = 0;
  private damaged = 0;

  constructor(
    private readonly dir: string,
    readonly position: Position | undefined,
    private readonly log: SpoolLog,
  ) {
    this.carried = new Set(position?.open);
    for (const callId of this.carried) this.open.set(callId, 0);
  }

  async readAll(): Promise<void> {
    const names = (await readdir(this.dir)).filter((name) => /^\d{16}\.log$/.test(name)).sort();
    for (const name of names) await this.readSegment(join(this.dir, name), name === names.at(-1));
  }

  remains(edge: string): Remains {
    const sameEdge = this.position?.edge === edge ? this.position.upTo : 0;
    const first = this.segments[0]?.firstSeq;
    const committed = Math.max(sameEdge, first === undefined ? 0 : first - 1);
    return {
      edge,
      segments: this.segments,
      lastSeq: Math.max(this.lastSeq, committed),
      committed,
      open: this.open,
      oldestAt: this.oldestAt,
      damaged: this.damaged,
    };
  }

  private async readSegment(path: string, isLast: boolean): Promise<void> {
    const bytes = await readFile(path);
    const segment: Segment = { path, firstSeq: Number(basename(path, '.log')), lastSeq: 0, bytes: 0 };
    const whole: Frame[] = [];
    const broken: Frame[] = [];
    for (const frame of walkFrames(bytes)) (frame.kind === 'entry' ? whole : broken).push(frame);
    for (const frame of whole) this.note(JSON.parse(bodyOf(bytes, frame)) as Head, segment);
    segment.bytes = await this.mend(path, bytes, { whole, broken }, isLast);
    if (segment.bytes > 0) this.segments.push(segment);
    else await rm(path, { force: true });
  }

  private note(head: Head, segment: Segment): void {
    const { edge, seq } = head.origin;
    this.edgeSeen ??= edge;
    segment.lastSeq = seq;
    this.lastSeq = Math.max(this.lastSeq, seq);
    if (head.phase === 'intent') this.open.set(head.callId, seq);
    if (head.phase === 'outcome') this.open.delete(head.callId);
    if (seq > (this.position?.upTo ?? 0)) this.oldestAt ??= head.at;
  }

  /** Resolves to the bytes that are left. */
  private async mend(path: string, bytes: Buffer, frames: { whole: Frame[]; broken: Frame[] }, isLast: boolean): Promise<number> {
    const { whole, broken } = frames;
    const torn = broken.at(-1);
    if (torn === undefined) return bytes.length;
    if (isLast && broken.length === 1 && torn.kind === 'torn') {
      this.log.warn({ segment: basename(path), bytes: torn.end - torn.start }, 'cut the torn end of the spool: a write that never returned');
      await cut(path, torn.start);
      return torn.start;
    }
    this.damaged += broken.length;
    return this.quarantine(path, bytes, whole);
  }

  /** The damaged original is kept for people; the segment is replaced by its whole entries, so that a gap in the sequence remains. */
  private async quarantine(path: string, bytes: Buffer, whole: readonly Frame[]): Promise<number> {
    const folder = join(this.dir, 'quarantine');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(folder, join(folder, basename(path)), bytes);
    const kept = Buffer.concat(whole.map((frame) => bytes.subarray(frame.start, frame.end)));
    await replaceFile(this.dir, path, kept);
    this.log.error({ segment: basename(path), lost: bytes.length - kept.length }, 'the spool is damaged: entries are missing, the damaged file is in quarantine');
    return kept.length;
  }
}

async function cut(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * The edge's id belongs to its sequence: where the entries and the position are gone the sequence would
 * start again at 1 and the audit service would take new entries for known ones, so a new id is made.
 */
async function edgeOf(dir: string, scan: Scan): Promise<string> {
  const path = join(dir, 'edge.id');
  const known = scan.edgeSeen ?? scan.position?.edge;
  const stored = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (known !== undefined && stored === known) return known;
  const edge = known ?? newId('edge');
  await replaceFile(dir, path, `${edge}\n`);
  return edge;
}
