import { Refusal, type Clock } from '@gatehouse/kernel';
import { originTail, placed, type Phase } from './entry-text.js';
import { FRAME_HEADER_BYTES, writeFrame } from './frame.js';
import type { Segments } from './segments.js';
import type { SpoolLog } from './spool-log.js';

/** An entry that is on stable storage. */
export interface Durable {
  readonly phase: Phase;
  readonly callId: string;
  readonly at: number;
  readonly seq: number;
  readonly body: string;
  readonly bytes: number;
}

/** An entry that waits for its batch. `settle` is called with nothing when durable, else with why not. */
export interface Waiting {
  readonly phase: Phase;
  readonly callId: string;
  readonly at: number;
  readonly text: string;
  readonly settle?: (refusal?: Refusal) => void;
}

const BATCH_BYTES = 1024 * 1024;
/** How long end-records alone may wait for an intent to share a batch with. */
const END_RECORD_WAIT_MS = 5;
const FIRST_PROBE_MS = 250;
const LAST_PROBE_MS = 5_000;
/** Bytes of an origin and a frame, for what a waiting entry will need. */
const ENTRY_OVERHEAD = 200;

interface Options {
  readonly segments: Segments;
  readonly lastSeq: number;
  readonly origin: string;
  readonly log: SpoolLog;
  readonly clock: Clock;
  /** Called in order, before the writers are told. */
  readonly onDurable: (entries: readonly Durable[]) => void;
}

/**
 * Writes entries in batches: whatever came in while one batch was on its way to the disk is the next.
 * Sequence numbers are given when a batch is written, so a batch that failed leaves no gap.
 */
export class GroupCommit {
  /** Why nothing can be written, while that is so. */
  failure: string | undefined;
  /** When the batch that is on its way was started (monotonic): a disk may hang instead of failing. */
  writingSince: number | undefined;
  /** Bytes of what waits, roughly. */
  waitingBytes = 0;
  /** Batches written so far. */
  batches = 0;
  private waiting: Waiting[] = [];
  private scheduled = false;
  private endRecordTimer: NodeJS.Timeout | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private probing: Promise<void> | undefined;
  private stopped = false;
  private probeDelay = FIRST_PROBE_MS;
  private idle: (() => void)[] = [];
  private readonly buffer = Buffer.allocUnsafe(BATCH_BYTES);
  private seq: number;

  constructor(private readonly options: Options) {
    this.seq = options.lastSeq;
  }

  /** The last sequence number on stable storage. */
  get lastSeq(): number {
    return this.seq;
  }

  /** How many entries wait. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /** Adds an entry; what a caller waits for starts a batch at once, end-records wait a moment for company. */
  add(entry: Waiting): void {
    this.waiting.push(entry);
    this.waitingBytes += entry.text.length + ENTRY_OVERHEAD;
    if (this.scheduled || this.failure !== undefined) return;
    if (entry.phase === 'intent') this.schedule();
    else this.endRecordTimer ??= setTimeout(() => this.schedule(), END_RECORD_WAIT_MS);
  }

  /** Resolves when nothing waits any more, or when writing fails. */
  flushed(): Promise<void> {
    if (this.failure !== undefined || (this.waiting.length === 0 && !this.scheduled)) return Promise.resolve();
    const done = new Promise<void>((resolve) => this.idle.push(resolve));
    if (!this.scheduled) this.schedule();
    return done;
  }

  /** No more attempts to recover. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.probeTimer);
    clearTimeout(this.endRecordTimer);
    await this.probing;
  }

  // After the poll phase: everything that arrived in this turn of the event loop shares the batch.
  private schedule(): void {
    if (this.scheduled || this.failure !== undefined) return;
    this.scheduled = true;
    clearTimeout(this.endRecordTimer);
    this.endRecordTimer = undefined;
    setImmediate(() => void this.writeBatch());
  }

  private async writeBatch(): Promise<void> {
    const taken = this.waiting;
    const { entries, length } = this.encode(taken);
    this.waiting = taken.slice(entries.length);
    this.writingSince = this.options.clock.monotonicMs();
    let problem: unknown;
    if (entries.length > 0) {
      problem = await this.options.segments.append(this.buffer, length, this.seq + 1, entries.length).catch(asError);
    }
    this.writingSince = undefined;
    this.scheduled = false;
    if (problem !== undefined) this.fail(taken.slice(0, entries.length), problem);
    else this.finish(taken, entries);
  }

  private encode(taken: readonly Waiting[]): { entries: Durable[]; length: number } {
    const entries: Durable[] = [];
    let end = 0;
    let seq = this.seq;
    for (const { phase, callId, at, text } of taken) {
      if (end + FRAME_HEADER_BYTES + text.length * 3 + ENTRY_OVERHEAD > BATCH_BYTES) break;
      const start = end;
      seq += 1;
      const tail = originTail(this.options.origin, seq);
      end = writeFrame(this.buffer, end, text, tail);
      entries.push({ phase, callId, at, seq, body: placed(text, tail), bytes: end - start - FRAME_HEADER_BYTES });
    }
    return { entries, length: end };
  }

  private finish(taken: readonly Waiting[], entries: readonly Durable[]): void {
    this.batches += 1;
    this.seq += entries.length;
    this.options.onDurable(entries);
    for (let i = 0; i < entries.length; i += 1) {
      const entry = taken[i]!;
      this.waitingBytes -= entry.text.length + ENTRY_OVERHEAD;
      entry.settle?.();
    }
    if (this.waiting.length > 0) this.schedule();
    else this.tellIdle();
  }

  /** Intents are refused, because their callers must not go on; end-records stay and are written when the disk works. */
  private fail(batch: readonly Waiting[], problem: unknown): void {
    this.failure = `write failed: ${codeOf(problem)}`;
    this.options.log.error({ err: problem }, 'the spool cannot be written: calls are refused until it can');
    const all = [...batch, ...this.waiting];
    this.waiting = all.filter((entry) => entry.phase !== 'intent');
    this.waitingBytes = this.waiting.reduce((sum, entry) => sum + entry.text.length + ENTRY_OVERHEAD, 0);
    const refusal = new Refusal('audit_unavailable', { reason: 'write_failed' });
    for (const entry of all) if (entry.phase === 'intent') entry.settle?.(refusal);
    this.tellIdle();
    this.probeLater();
  }

  private probeLater(): void {
    if (this.stopped) return;
    this.probeTimer = setTimeout(() => (this.probing = this.probe()), this.probeDelay);
    this.probeTimer.unref();
    this.probeDelay = Math.min(this.probeDelay * 2, LAST_PROBE_MS);
  }

  private async probe(): Promise<void> {
    const problem = await this.options.segments.restart().catch(asError);
    if (problem !== undefined) {
      this.failure = `write failed: ${codeOf(problem)}`;
      this.probeLater();
      return;
    }
    this.failure = undefined;
    this.probeDelay = FIRST_PROBE_MS;
    this.options.log.info({}, 'the spool can be written again');
    if (this.waiting.length > 0) this.schedule();
  }

  private tellIdle(): void {
    const idle = this.idle;
    this.idle = [];
    for (const resolve of idle) resolve();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function codeOf(problem: unknown): string {
  return (problem as NodeJS.ErrnoException).code ?? 'unknown';
}
