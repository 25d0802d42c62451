import { Refusal } from '@gatehouse/kernel';

/** An event to send. `data` is text or UTF-8 bytes; `retry` is in milliseconds. */
export interface OutgoingSseEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: string | Buffer;
  readonly retry?: number;
}

const LF = 0x0a;
const CR = 0x0d;
const END = Buffer.from('\n\n');
const LINE_BREAK = /\r\n|\r|\n/;
const BREAKS_A_FIELD = /[\r\n\0]/;

/** A comment line that keeps proxies from cutting an idle stream. */
export const SSE_KEEP_ALIVE = ': keep-alive\n\n';

/**
 * One event as bytes ready to write (WHATWG HTML 9.2.5). Line breaks in `data`, lone CR included, become
 * further `data` lines, so that a server's text cannot start an event of its own. Refuses
 * `upstream_invalid` {reason: sse_field} for a line break or NUL in `id` or `event`, which no legitimate
 * stream can have produced (CVE-2026-35515), and for a `retry` that is no whole number.
 */
export function writeSseEvent(event: OutgoingSseEvent): Buffer {
  const head = field('id', event.id) + field('event', event.event) + retryField(event.retry);
  const { data } = event;
  if (typeof data === 'string') return Buffer.from(`${head}${dataLines(data)}\n`);
  if (data.includes(LF) || data.includes(CR)) return Buffer.from(`${head}${dataLines(data.toString('utf8'))}\n`);
  return Buffer.concat([Buffer.from(`${head}data: `), data, END]);
}

function dataLines(text: string): string {
  return text
    .split(LINE_BREAK)
    .map((line) => `data: ${line}\n`)
    .join('');
}

function field(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  if (BREAKS_A_FIELD.test(value)) throw new Refusal('upstream_invalid', { reason: 'sse_field', field: name });
  return `${name}: ${value}\n`;
}

function retryField(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (!Number.isSafeInteger(ms) || ms < 0) throw new Refusal('upstream_invalid', { reason: 'sse_field', field: 'retry' });
  return `retry: ${ms}\n`;
}
