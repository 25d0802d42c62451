import { open } from 'node:fs/promises';
import { atOf, seqOf } from './entry-text.js';
import { bodyOf, walkFrames, FRAME_HEADER_BYTES, MAX_BODY_BYTES } from './frame.js';
import type { Segment, Segments } from './segments.js';
import type { SpoolLog } from './spool-log.js';

/** An entry that is durable and not yet confirmed by the audit service. */
export interface Unshipped {
  readonly seq: number;
  readonly body: string;
  readonly bytes: number;
  readonly at: number;
}

const WINDOW_BYTES = 4 * (MAX_BODY_BYTES + FRAME_HEADER_BYTES);

interface Options {
  readonly segments: Segments;
  readonly committed: number;
  /** The last sequence number on stable storage. */
  readonly lastDurable: () => number;
  /** When the oldest entry left by an earlier life was made. */
  readonly oldestAt: number | undefined;
  readonly log: SpoolLog;
  readonly maxEntries: number;
  readonly maxChars: number;
}

/**
 * What the audit service has not confirmed. Entries go from writing to shipping through memory; when the
 * audit service is away for long, only the oldest are kept there and the others are read from disk later.
 */
export class Backlog {
  private queue: Unshipped[] = [];
  private head = 0;
  private chars = 0;
  /** Last entry that is, or was, in memory. */
  private loaded: number;
  /** Whether there are newer entries that are on disk only. */
  private spilled: boolean;
  private cursor: { segment: Segment; offset: number } | undefined;
  private oldest: number | undefined;
  private signal: (() => void) | undefined;

  constructor(private readonly options: Options) {
    this.loaded = options.committed;
    this.spilled = options.lastDurable() > options.committed;
    this.oldest = options.oldestAt;
  }

  /** When the oldest unconfirmed entry was made; a bound from below after reading from disk. */
  get oldestAt(): number | undefined {
    return this.oldest;
  }

  /** Whether everything durable is confirmed. */
  get isEmpty(): boolean {
    return this.head === this.queue.length && !this.spilled;
  }

  /** Whether a batch of this many entries can be made without waiting for more. */
  has(count: number): boolean {
    return this.spilled || this.queue.length - this.head >= count;
  }

  /** Takes an entry that has just become durable; in sequence. One that was read from disk just before is known. */
  push(entry: Unshipped): void {
    if (entry.seq <= this.loaded) return;
    this.oldest ??= entry.at;
    if (!this.spilled && this.fits(entry)) this.enqueue(entry);
    else this.spilled = true;
    this.wake();
  }

  /** The oldest entries, at most so many and so many bytes (but at least one), without removing them. */
  async peek(maxEntries: number, maxBytes: number): Promise<readonly Unshipped[]> {
    if (this.head === this.queue.length && this.spilled) await this.refill();
    const batch: Unshipped[] = [];
    let bytes = 0;
    for (let i = this.head; i < this.queue.length && batch.length < maxEntries; i += 1) {
      const entry = this.queue[i]!;
      if (batch.length > 0 && bytes + entry.bytes > maxBytes) break;
      bytes += entry.bytes;
      batch.push(entry);
    }
    return batch;
  }

  /** Removes everything up to `seq`: it is confirmed. */
  forget(seq: number): void {
    while (this.head < this.queue.length && this.queue[this.head]!.seq <= seq) {
      const gone = this.queue[this.head]!;
      this.chars -= gone.body.length;
      this.head += 1;
      this.oldest = gone.at;
    }
    this.loaded = Math.max(this.loaded, seq);
    if (this.head > 1_000) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    if (this.head < this.queue.length) this.oldest = this.queue[this.head]!.at;
    else if (!this.spilled) this.oldest = undefined;
  }

  /** Resolves when there is something to ship, or at `wake`. */
  async something(): Promise<void> {
    if (!this.isEmpty) return;
    await new Promise<void>((resolve) => (this.signal = resolve));
  }

  /** Ends a wait. */
  wake(): void {
    this.signal?.();
    this.signal = undefined;
  }

  private fits(entry: Unshipped): boolean {
    const { maxEntries, maxChars } = this.options;
    return this.queue.length - this.head < maxEntries && this.chars + entry.body.length <= maxChars;
  }

  private enqueue(entry: Unshipped): void {
    this.queue.push(entry);
    this.chars += entry.body.length;
    this.loaded = entry.seq;
  }

  /** Loads the next stretch from disk; when that reaches the newest entry, memory takes over again. */
  private async refill(): Promise<void> {
    const place = this.place();
    if (place === undefined) this.loaded = this.options.lastDurable();
    else await this.readWindow(place);
    if (this.loaded >= this.options.lastDurable()) this.spilled = false;
    if (this.isEmpty) this.oldest = undefined;
  }

  private place(): { segment: Segment; offset: number } | undefined {
    const segment = this.options.segments.holding(this.loaded + 1);
    if (segment === undefined) return undefined;
    const offset = this.cursor?.segment === segment ? this.cursor.offset : 0;
    return { segment, offset };
  }

  private async readWindow(place: { segment: Segment; offset: number }): Promise<void> {
    const { segment } = place;
    let { offset } = place;
    const newest = segment.lastSeq;
    while (offset < segment.bytes) {
      const bytes = await readAt(segment.path, offset, Math.min(WINDOW_BYTES, segment.bytes - offset));
      const used = this.load(bytes, offset + bytes.length >= segment.bytes);
      offset += used;
      this.cursor = { segment, offset };
      if (this.head < this.queue.length) return;
    }
    // Nothing readable was left in this segment: what it lacks is gone, go on with the next.
    this.loaded = Math.max(this.loaded, newest);
  }

  /** Takes the whole entries of a window and returns how many bytes are done with. */
  private load(bytes: Buffer, isEnd: boolean): number {
    let used = 0;
    for (const frame of walkFrames(bytes)) {
      if (frame.kind === 'entry') this.loadEntry(bodyOf(bytes, frame), frame.end - frame.start - FRAME_HEADER_BYTES);
      // A frame that the window cuts is read again from its start.
      else if (frame.kind === 'torn' && !isEnd && used > 0) return used;
      else this.options.log.error({ bytes: frame.end - frame.start }, 'the spool is damaged: entries cannot be read back');
      used = frame.end;
    }
    return used;
  }

  private loadEntry(body: string, bytes: number): void {
    const seq = seqOf(body);
    if (seq > this.loaded) this.enqueue({ seq, body, bytes, at: atOf(body) });
  }
}

async function readAt(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
