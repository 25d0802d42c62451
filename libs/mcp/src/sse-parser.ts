import { isUtf8 } from 'node:buffer';
import { Refusal } from '@gatehouse/kernel';

/** One event of a stream. `data` is UTF-8; `id` and `event` are there when the event itself set them. */
export interface SseEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: Buffer;
}

/** Bytes that one event may have, its field names, line ends and the comments before it included. */
export interface SseLimits {
  readonly maxEventBytes: number;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const LINE_FEED = Buffer.from([LF]);
const MAX_RETRY_DIGITS = 9;
const MAX_PIECES = 1024;
// One more than the longest field name that means anything: `event` and `retry` have five letters.
const LONGEST_NAME = 6;

/**
 * Incremental parser of `text/event-stream` (WHATWG HTML 9.2.6), from byte chunks to whole events: LF,
 * CR and CRLF line ends, a leading byte order mark, multi-line data, comments, `id`, `event`, `retry`.
 *
 * Refuses `upstream_too_large` {limit} when an event passes its byte limit before it ends (a stream
 * without event boundary would fill the memory) and `upstream_invalid` for a line that is not UTF-8.
 * After a refusal the parser is of no further use.
 *
 * Own, not eventsource-parser: that one takes decoded text, counts characters, replaces what is not
 * UTF-8 unless the caller decodes first, and holds an event that ends in a lone CR back until the next
 * chunk. The next step here wants bytes (the JSON scanner, the writer), so each event would be decoded
 * and encoded again. Measured per event, both up to the data as Buffer: see the README.
 */
export class SseParser {
  private readonly maxEventBytes: number;
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private eventBytes = 0;
  private data: Buffer[] = [];
  private event: string | undefined;
  private id: string | undefined;
  private atStart = true;
  private afterCr = false;
  private committedId = '';
  private retry: number | undefined;

  constructor(limits: SseLimits) {
    this.maxEventBytes = limits.maxEventBytes;
  }

  /** The last event id of the stream (WHATWG: sticky, set when an event ends), '' before any. */
  get lastEventId(): string {
    return this.committedId;
  }

  /** The reconnection time that the stream asked for, in milliseconds. */
  get retryMs(): number | undefined {
    return this.retry;
  }

  /** True when bytes of an event that has not ended yet were seen: a stream that stops here lost something. */
  get midEvent(): boolean {
    return this.partialBytes > 0 || this.data.length > 0;
  }

  /** Takes the next bytes and returns the events they complete. The chunk is kept by reference, not copied. */
  push(chunk: Buffer): SseEvent[] {
    if (chunk.length === 0) return [];
    const from = this.afterCr && chunk[0] === LF ? 1 : 0;
    const lastCr = chunk.lastIndexOf(CR);
    const to = Math.max(chunk.lastIndexOf(LF), lastCr) + 1;
    this.afterCr = chunk[chunk.length - 1] === CR;
    const events: SseEvent[] = [];
    if (to > from) this.lines(this.joined(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to)), lastCr !== -1, events);
    this.keep(chunk, Math.max(from, to));
    return events;
  }

  private keep(chunk: Buffer, from: number): void {
    if (from === chunk.length) return;
    this.partial.push(from === 0 ? chunk : chunk.subarray(from));
    this.partialBytes += chunk.length - from;
    this.checkSize();
    // A server that sends single bytes must not make each of them cost a Buffer for long.
    if (this.partial.length > MAX_PIECES) this.partial = [Buffer.concat(this.partial)];
  }

  private joined(last: Buffer): Buffer {
    if (this.partialBytes === 0) return last;
    const whole = Buffer.concat([...this.partial, last]);
    this.partial = [];
    this.partialBytes = 0;
    return whole;
  }

  /** Takes whole lines. Each search for a line end goes on from the last one, so the cost is linear. */
  private lines(block: Buffer, hasCr: boolean, events: SseEvent[]): void {
    if (!isUtf8(block)) throw new Refusal('upstream_invalid', { reason: 'sse_not_utf8' });
    let at = this.skipMark(block);
    let lf = -1;
    let cr = hasCr ? -1 : block.length;
    while (at < block.length) {
      if (lf < at) lf = indexOr(block, LF, at);
      if (cr < at) cr = indexOr(block, CR, at);
      const end = Math.min(lf, cr);
      this.line(block, at, end, events);
      at = cr + 1 === lf && end === cr ? lf + 1 : end + 1;
    }
  }

  private skipMark(block: Buffer): number {
    const marked = this.atStart && block[0] === BOM[0] && block[1] === BOM[1] && block[2] === BOM[2];
    this.atStart = false;
    return marked ? BOM.length : 0;
  }

  private line(block: Buffer, from: number, to: number, events: SseEvent[]): void {
    this.eventBytes += to - from + 1;
    this.checkSize();
    if (from === to) this.dispatch(events);
    else if (isDataLine(block, from)) this.takeData(block, valueStart(block, from + 4, to), to);
    else if (block[from] !== COLON) this.field(block, from, to);
  }

  private field(block: Buffer, from: number, to: number): void {
    let colon = from;
    while (colon < to && block[colon] !== COLON) colon++;
    const start = valueStart(block, colon, to);
    switch (block.toString('latin1', from, Math.min(colon, from + LONGEST_NAME))) {
      case 'data':
        return this.takeData(block, start, to);
      case 'event':
        this.event = block.toString('utf8', start, to);
        return;
      case 'id':
        return this.takeId(block.toString('utf8', start, to));
      case 'retry':
        return this.takeRetry(block.toString('latin1', start, to));
      default:
    }
  }

  private takeData(block: Buffer, from: number, to: number): void {
    this.data.push(block.subarray(from, to));
  }

  private takeId(id: string): void {
    if (!id.includes('\0')) this.id = id;
  }

  private takeRetry(digits: string): void {
    if (/^\d+$/.test(digits) && digits.length <= MAX_RETRY_DIGITS) this.retry = Number(digits);
  }

  private dispatch(events: SseEvent[]): void {
    const { id, event, data } = this;
    this.eventBytes = 0;
    if (id !== undefined) this.committedId = id;
    this.id = undefined;
    this.event = undefined;
    if (data.length === 0) return;
    this.data = [];
    const whole = data.length === 1 ? (data[0] as Buffer) : joinLines(data);
    events.push(eventOf(whole, id, event === '' ? undefined : event));
  }

  private checkSize(): void {
    if (this.eventBytes + this.partialBytes > this.maxEventBytes) throw new Refusal('upstream_too_large', { limit: this.maxEventBytes });
  }
}

function isDataLine(block: Buffer, at: number): boolean {
  return block[at] === 0x64 && block[at + 4] === COLON && block[at + 1] === 0x61 && block[at + 2] === 0x74 && block[at + 3] === 0x61;
}

function valueStart(block: Buffer, colon: number, to: number): number {
  if (colon >= to) return to;
  return colon + 1 < to && block[colon + 1] === SPACE ? colon + 2 : colon + 1;
}

function indexOr(block: Buffer, byte: number, from: number): number {
  const found = block.indexOf(byte, from);
  return found === -1 ? block.length : found;
}

function eventOf(data: Buffer, id: string | undefined, event: string | undefined): SseEvent {
  if (id === undefined) return event === undefined ? { data } : { event, data };
  return event === undefined ? { id, data } : { id, event, data };
}

function joinLines(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [LINE_FEED, line])));
}
