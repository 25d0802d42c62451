import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { SEGMENT_FLAGS, syncFolder, type Disk } from './disk.js';

/** One file of the spool: entries `firstSeq` to `lastSeq` in `bytes` durable bytes. */
export interface Segment {
  readonly path: string;
  readonly firstSeq: number;
  lastSeq: number;
  bytes: number;
}

const PROBE_BYTES = 4096;

/** File name of the segment that starts at `firstSeq`; sorts by sequence. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, '0')}.log`;
}

/** The segments of one spool folder, the newest of which is written. One call at a time (the group commit's). */
export class Segments {
  private active: { segment: Segment; file: FileHandle } | undefined;
  private total: number;

  constructor(
    private readonly dir: string,
    private readonly segmentBytes: number,
    private readonly disk: Disk,
    private readonly list: Segment[],
  ) {
    this.total = list.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Bytes of all segments together. */
  get bytes(): number {
    return this.total;
  }

  /** How many files there are. */
  get count(): number {
    return this.list.length;
  }

  /** The segment where the entry `seq`, or else the next one there is, can be read. */
  holding(seq: number): Segment | undefined {
    return this.list.find((segment) => segment.lastSeq >= seq);
  }

  /** Puts the frames of `count` entries from `firstSeq` on stable storage, in a new segment when this one is full. */
  async append(frames: Buffer, length: number, firstSeq: number, count: number): Promise<void> {
    if (this.active !== undefined && this.active.segment.bytes + length > this.segmentBytes) await this.finishActive();
    const { segment, file } = this.active ?? (await this.begin(firstSeq));
    await this.disk.append(file.fd, frames, length, segment.bytes);
    segment.bytes += length;
    this.total += length;
    segment.lastSeq = firstSeq + count - 1;
  }

  /** The last sequence number up to which whole segments could go once everything to `seq` is committed. */
  droppableThrough(seq: number): number {
    return this.droppable(seq).at(-1)?.lastSeq ?? 0;
  }

  /** Removes the segments whose entries are all committed. */
  async dropThrough(seq: number): Promise<void> {
    for (const segment of this.droppable(seq)) {
      await rm(segment.path, { force: true });
      this.list.splice(this.list.indexOf(segment), 1);
      this.total -= segment.bytes;
    }
  }

  /**
   * After a failed write what stands behind the durable bytes is unknown, and a page that failed to sync may
   * read as written (fsync reports an error once): cut it off, go on in a new file, and see that a write works.
   */
  async restart(): Promise<void> {
    const broken = this.active;
    if (broken !== undefined) {
      await this.cutBack(broken.segment, broken.file);
      this.active = undefined;
      await broken.file.close();
    }
    await this.probe();
  }

  /** Closes the file; entries stay. */
  async close(): Promise<void> {
    await this.finishActive();
  }

  private droppable(seq: number): Segment[] {
    return this.list.filter((segment) => segment !== this.active?.segment && segment.lastSeq <= seq);
  }

  private async begin(firstSeq: number): Promise<{ segment: Segment; file: FileHandle }> {
    const path = join(this.dir, segmentName(firstSeq));
    const file = await open(path, SEGMENT_FLAGS, 0o600);
    const segment: Segment = { path, firstSeq, lastSeq: firstSeq - 1, bytes: 0 };
    this.active = { segment, file };
    this.list.push(segment);
    await syncFolder(this.dir);
    return this.active;
  }

  private async finishActive(): Promise<void> {
    const done = this.active;
    this.active = undefined;
    await done?.file.close();
  }

  private async cutBack(segment: Segment, file: FileHandle): Promise<void> {
    if (segment.bytes > 0) {
      await file.truncate(segment.bytes);
      await file.sync();
    } else {
      await rm(segment.path, { force: true });
      this.list.splice(this.list.indexOf(segment), 1);
    }
    await syncFolder(this.dir);
  }

  private async probe(): Promise<void> {
    const path = join(this.dir, 'probe');
    await rm(path, { force: true });
    const file = await open(path, SEGMENT_FLAGS, 0o600);
    try {
      await this.disk.append(file.fd, Buffer.alloc(PROBE_BYTES), PROBE_BYTES, 0);
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  }
}
