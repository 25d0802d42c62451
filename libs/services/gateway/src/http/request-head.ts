import type { IncomingMessage } from 'node:http';
import { Refusal } from '@gatehouse/kernel';

/** Headers that decide something: sent twice, two readers could pick different ones (E-21). */
const SINGLE = new Set([
  'authorization',
  'host',
  'origin',
  'content-type',
  'mcp-session-id',
  'mcp-protocol-version',
  'last-event-id',
  'dpop',
]);

/** Refuses a request in which a deciding header stands twice. */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  let seen = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!SINGLE.has(name)) continue;
    const mark = `|${name}|`;
    if (seen.includes(mark)) throw new Refusal('bad_request', { header: name, problem: 'sent more than once' });
    seen += mark;
  }
}

/** One header as text, or `undefined`. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
