import { randomUUID } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import { Backlog } from './backlog.js';
import { systemDisk, type Disk } from './disk.js';
import { intentText, originText, outcomeText, singleText, type Unplaced } from './entry-text.js';
import { FolderLock } from './folder-lock.js';
import { GroupCommit, type Durable } from './group-commit.js';
import { PositionFile } from './position-file.js';
import { recover, type Remains } from './recovery.js';
import { Segments } from './segments.js';
import { Shipper, type Send } from './shipper.js';
import type { SpoolLog } from './spool-log.js';

/** How a spool is opened. Sizes in bytes, times in milliseconds. */
export interface SpoolOptions {
  /** Folder of this edge alone; made with mode 0700. */
  readonly dir: string;
  readonly log: SpoolLog;
  readonly clock?: Clock;
  /** Size of a file; 16 MiB. */
  readonly segmentBytes?: number;
  /** Unconfirmed entries may take so much; 1 GiB, of which the last 5 % are kept for end-records. */
  readonly maxBytes?: number;
  /** The oldest unconfirmed entry may be so old; 24 hours. */
  readonly maxAgeMs?: number;
  /** How long a shipment that is not full waits for more; 100 ms. */
  readonly lingerMs?: number;
  /** Unconfirmed entries kept in memory; 10,000 (the others are read from disk when their turn comes). */
  readonly memoryEntries?: number;
  readonly disk?: Disk;
}

/** Whether calls can be recorded, and if not, why. */
export type SpoolState = { readonly healthy: true } | { readonly healthy: false; readonly reason: string };

/** Figures for metrics. */
export interface SpoolFigures {
  /** Bytes of segment files. */
  readonly bytes: number;
  readonly segments: number;
  /** Entries on disk that the audit service has not confirmed. */
  readonly unshipped: number;
  readonly oldestAt: number | undefined;
  readonly lastSeq: number;
  readonly committed: number;
  readonly openCalls: number;
  /** Batches written, each with one durable write. */
  readonly batches: number;
  /** Stretches of damage found at open. */
  readonly damaged: number;
  /** Refusals and changes that could not be recorded because there was no room. */
  readonly dropped: number;
  readonly failedShipments: number;
}

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const MEMORY_CHARS = 8 * MIB;
/** What may wait in memory for a disk that fails or hangs. */
const MAX_WAITING_BYTES = 16 * MIB;
/** A disk that takes longer for one batch counts as failed. */
const STALL_MS = 5_000;
/** Shares of `maxBytes` that intents and singles may fill; outcomes always fit, there is one per running call. */
const INTENT_SHARE = 0.95;
const SINGLE_SHARE = 0.975;
const SAVE_EVERY_MS = 1_000;
const FLUSH_LIMIT_MS = 5_000;
const NOTHING_KNOWN = { status: 'unknown', code: null, httpStatus: null, upstreamStatus: null, resultDigest: null, bytesOut: 0, events: 0, steps: {}, faultId: null } as const;

/** The edge's own append-only log of calls: what is recorded here survives this process, and is shipped to the audit service. */
export class Spool {
  /** Stable id of this folder; the sequence numbers belong to it. */
  readonly edge: string;
  /** Id of this life of the process. */
  readonly boot = randomUUID();
  private readonly clock: Clock;
  private readonly segments: Segments;
  private readonly commit: GroupCommit;
  private readonly backlog: Backlog;
  private readonly shipper: Shipper;
  private readonly open: Map<string, number>;
  private readonly maxAgeMs: number;
  private readonly maxBytes: number;
  private committed: number;
  private savedAt = Number.NEGATIVE_INFINITY;
  private droppedThrough = 0;
  private dropped = 0;
  private life: 'open' | 'closing' | 'closed' = 'open';

  private constructor(
    private readonly options: SpoolOptions,
    private readonly remains: Remains,
    private readonly positions: PositionFile,
    private readonly lock: FolderLock,
  ) {
    this.clock = options.clock ?? systemClock;
    this.maxBytes = options.maxBytes ?? 1024 * MIB;
    this.maxAgeMs = options.maxAgeMs ?? DAY_MS;
    this.edge = remains.edge;
    this.open = remains.open;
    this.committed = remains.committed;
    this.segments = this.makeSegments();
    this.commit = this.makeCommit();
    this.backlog = this.makeBacklog();
    this.shipper = new Shipper({
      edge: this.edge,
      backlog: this.backlog,
      log: options.log,
      lingerMs: options.lingerMs ?? 100,
      onReceipt: (upTo) => this.receive(upTo),
    });
  }

  /**
   * Opens the folder: cuts a torn end, moves damage to `quarantine/`, and gives every call that an earlier
   * life began and did not end the outcome `unknown`. A Fault when another process has the folder.
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { dir, log } = options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    const lock = await FolderLock.take(dir);
    try {
      const positions = new PositionFile(dir);
      const spool = new Spool(options, await recover(dir, positions, log), positions, lock);
      await spool.settleEarlierLives();
      return spool;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Resolves once the intent is on stable storage; Refusal `audit_unavailable` when it cannot be: the call must not be made. */
  intent(entry: Unplaced<'intent'>): Promise<void> {
    const reason = this.obstacle(INTENT_SHARE, entry.at);
    if (reason !== undefined) return Promise.reject(new Refusal('audit_unavailable', { reason }));
    const { callId, at } = entry;
    const text = intentText(entry);
    return new Promise((resolve, reject) => {
      const settle = (refusal?: Refusal): void => (refusal === undefined ? resolve() : reject(refusal));
      this.commit.add({ phase: 'intent', callId, at, text, settle });
    });
  }

  /** Records how a call ended; durable with the next batch, and in case of a crash before that `unknown`. */
  outcome(entry: Unplaced<'outcome'>): void {
    if (this.life === 'closed') {
      this.options.log.warn({ callId: entry.callId }, 'a call ended after the spool was closed: its outcome will read unknown');
      return;
    }
    this.commit.add({ phase: 'outcome', callId: entry.callId, at: entry.at, text: outcomeText(entry) });
  }

  /**
   * Records something whole in itself. Resolves when durable; need not be awaited. Refusal
   * `audit_unavailable` when there is no room.
   */
  single(entry: Unplaced<'single'>): Promise<void> {
    const recorded = this.record(entry);
    // Whoever does not wait is not to bring the process down; the refusal is counted.
    recorded.catch(() => undefined);
    return recorded;
  }

  /** Whether an intent would be taken now. */
  state(): SpoolState {
    const reason = this.obstacle(INTENT_SHARE, this.clock.now());
    return reason === undefined ? { healthy: true } : { healthy: false, reason };
  }

  /** Figures for metrics. */
  figures(): SpoolFigures {
    const lastSeq = this.commit.lastSeq;
    return {
      bytes: this.segments.bytes,
      segments: this.segments.count,
      unshipped: lastSeq - this.committed,
      oldestAt: this.backlog.oldestAt,
      lastSeq,
      committed: this.committed,
      openCalls: this.open.size,
      batches: this.commit.batches,
      damaged: this.remains.damaged,
      dropped: this.dropped,
      failedShipments: this.shipper.failedAttempts,
    };
  }

  /** Begins shipping: batches of at most 500 entries and 200 KB, in order, one at a time. */
  startShipping(send: Send): void {
    this.shipper.start(send);
  }

  /** Ends shipping after the batch that is on its way. */
  stopShipping(): Promise<void> {
    return this.shipper.stop();
  }

  /** Writes what waits and resolves to true when everything is confirmed, or to false after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    this.shipper.hasten();
    await this.flush(timeoutMs);
    while (this.committed < this.commit.lastSeq && performance.now() < until) await delay(10);
    return this.committed >= this.commit.lastSeq;
  }

  /** Writes what waits (at most five seconds), stops shipping and gives the folder back. */
  async close(): Promise<void> {
    if (this.life !== 'open') return;
    this.life = 'closing';
    await this.flush(FLUSH_LIMIT_MS);
    this.life = 'closed';
    await this.shipper.stop();
    await this.commit.stop();
    await this.segments.close();
    await this.housekeep();
    await this.lock.release();
  }

  private makeSegments(): Segments {
    const { dir, segmentBytes = 16 * MIB, disk = systemDisk } = this.options;
    // A tenth at most, so that the file in use, which cannot be deleted, never is what fills the spool.
    return new Segments(dir, Math.min(segmentBytes, this.maxBytes / 10), disk, this.remains.segments);
  }

  private makeCommit(): GroupCommit {
    return new GroupCommit({
      segments: this.segments,
      lastSeq: this.remains.lastSeq,
      origin: originText(this.edge, this.boot),
      log: this.options.log,
      clock: this.clock,
      onDurable: (entries) => this.noteDurable(entries),
    });
  }

  private makeBacklog(): Backlog {
    return new Backlog({
      segments: this.segments,
      committed: this.committed,
      lastDurable: () => this.commit.lastSeq,
      oldestAt: this.remains.oldestAt,
      log: this.options.log,
      maxEntries: this.options.memoryEntries ?? 10_000,
      maxChars: MEMORY_CHARS,
    });
  }

  private async settleEarlierLives(): Promise<void> {
    for (const callId of this.open.keys()) {
      this.outcome({ id: newId('event', this.clock), callId, at: this.clock.now(), monotonic: this.clock.monotonicMs(), outcome: NOTHING_KNOWN });
    }
    if (this.open.size > 0) this.options.log.warn({ calls: this.open.size }, 'calls of an earlier life have no known end');
    await this.flush(FLUSH_LIMIT_MS);
    await this.housekeep();
    await this.positions.keepReserve();
  }

  private record(entry: Unplaced<'single'>): Promise<void> {
    const reason = this.obstacle(SINGLE_SHARE, undefined);
    if (reason !== undefined) {
      if (this.dropped === 0) this.options.log.error({ reason }, 'a refusal or change could not be recorded');
      this.dropped += 1;
      return Promise.reject(new Refusal('audit_unavailable', { reason }));
    }
    const { callId, at } = entry;
    const text = singleText(entry);
    return new Promise((resolve) => this.commit.add({ phase: 'single', callId, at, text, settle: () => resolve() }));
  }

  /** Why an entry cannot be taken. Age and failed writes hold up calls only: refusals are recorded as long as there is room. */
  private obstacle(share: number, at: number | undefined): string | undefined {
    if (this.life !== 'open') return 'closed';
    if (this.commit.waitingBytes > MAX_WAITING_BYTES) return 'write_behind';
    if (this.segments.bytes + this.commit.waitingBytes > this.maxBytes * share) return 'spool_full';
    if (at === undefined) return undefined;
    if (this.commit.failure !== undefined) return 'write_failed';
    const { writingSince } = this.commit;
    if (writingSince !== undefined && this.clock.monotonicMs() - writingSince > STALL_MS) return 'disk_stalled';
    const oldest = this.backlog.oldestAt;
    return oldest !== undefined && at - oldest > this.maxAgeMs ? 'too_old' : undefined;
  }

  private noteDurable(entries: readonly Durable[]): void {
    for (const entry of entries) {
      if (entry.phase === 'intent') this.open.set(entry.callId, entry.seq);
      else if (entry.phase === 'outcome') this.open.delete(entry.callId);
      this.backlog.push(entry);
    }
  }

  private async receive(upTo: number): Promise<boolean> {
    const last = this.commit.lastSeq;
    if (upTo > last) this.options.log.error({ upTo, last }, 'the audit service knows later entries of this edge: was the spool folder restored from a copy?');
    const confirmed = Math.min(upTo, last);
    if (confirmed <= this.committed) return false;
    this.committed = confirmed;
    this.backlog.forget(confirmed);
    const now = this.clock.monotonicMs();
    if (now - this.savedAt >= SAVE_EVERY_MS || this.segments.droppableThrough(confirmed) > 0) await this.housekeep();
    return true;
  }

  /** Saves the position first: a segment may go only when the calls it holds open are remembered elsewhere. */
  private async housekeep(): Promise<void> {
    this.savedAt = this.clock.monotonicMs();
    const droppable = this.segments.droppableThrough(this.committed);
    this.droppedThrough = Math.max(this.droppedThrough, droppable);
    const open = [...this.open].filter(([, seq]) => seq <= this.droppedThrough).map(([callId]) => callId);
    await this.positions.save({ edge: this.edge, upTo: this.committed, open });
    await this.segments.dropThrough(droppable);
  }

  private async flush(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.commit.flushed(), limit]);
    clearTimeout(timer);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
