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

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** The bearer token of RFC 6750 section 2.1, the only place a token is read from; never from query or cookie. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}

/** One header as text, or `undefined`. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
