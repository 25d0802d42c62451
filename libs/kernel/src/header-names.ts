import { Refusal } from './errors.js';

/** What belongs to the connection, the message or the protocol: Gatehouse sets these itself, or nobody does. */
const RESERVED = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'connection',
  'cookie',
  'cookie2',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'last-event-id',
  'origin',
  'referer',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-real-ip',
]);

/** Families of such names. */
const RESERVED_PREFIXES = ['access-control-', 'content-', 'gatehouse-', 'mcp-', 'proxy-', 'sec-', 'x-forwarded-', 'x-gatehouse-'];

/** Whether a name (lower case) is one that Gatehouse sets itself, or nobody does. */
export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * The names of the headers that a server gets with every request. `Authorization` is allowed: it is the usual place
 * of a credential. Refuses with `header_refused`, details `header` and `reason`, what would change the framing or the
 * protocol of the request (smuggling, a forged session) or claim where it came from, and names given twice.
 */
export function requireHeaderNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const header of names) {
    const name = header.toLowerCase();
    if (isReservedHeader(name)) throw new Refusal('header_refused', { header, reason: 'reserved' });
    if (seen.has(name)) throw new Refusal('header_refused', { header, reason: 'given_twice' });
    seen.add(name);
  }
}
