import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

// Hop by hop (RFC 9110 section 7.6.1), and what a proxy in front of us would say of the client: only we say that to auth.
const NOT_PASSED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
  ...['host', 'forwarded', 'via', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip', 'x-original-url', 'x-original-host', 'x-rewrite-url', 'x-host', 'x-http-method-override', 'x-method-override'],
]);
const NOT_PASSED_PREFIXES = ['x-gatehouse-', 'x-forwarded-', 'x-ssl-'];

/** What auth is told about a request besides what the client sent. */
export interface Told {
  host: string;
  scheme: string;
  /** Address of the socket: what the client itself says of its address is not passed on. */
  address: string;
}

/** Headers of a request as auth gets them. */
export function requestHeaders(given: IncomingHttpHeaders, { host, scheme, address }: Told): IncomingHttpHeaders {
  const named = new Set((given.connection ?? '').toLowerCase().split(',').map((name) => name.trim()));
  const passed: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) {
    const isOurs = NOT_PASSED.has(name) || named.has(name) || NOT_PASSED_PREFIXES.some((prefix) => name.startsWith(prefix));
    if (!isOurs && value !== undefined) passed[name] = value;
  }
  // Without it a body of unknown length would have no frame on the way to auth, and be read as a request of its own.
  if (given['transfer-encoding'] !== undefined) passed['transfer-encoding'] = 'chunked';
  return { ...passed, host, 'x-forwarded-for': address, 'x-forwarded-proto': scheme };
}

/** The header in which auth says what its answer was about. */
export const RECORD_HEADER = 'x-gatehouse-record';

const ANSWERED = new Set([
  ...['content-type', 'content-length', 'content-language', 'content-disposition', 'location', 'set-cookie', 'www-authenticate', 'dpop-nonce', 'retry-after', 'allow', 'link'],
  ...['cache-control', 'pragma', 'expires', 'etag', 'last-modified', 'vary', 'age', 'date'],
  ...['content-security-policy', 'referrer-policy', 'x-content-type-options', 'x-frame-options', 'permissions-policy', 'clear-site-data', 'strict-transport-security'],
  ...['cross-origin-opener-policy', 'cross-origin-resource-policy', 'cross-origin-embedder-policy'],
  ...['access-control-allow-origin', 'access-control-allow-methods', 'access-control-allow-headers', 'access-control-expose-headers', 'access-control-max-age'],
]);

/** Headers of an answer of auth as the client gets them: what is named here and nothing else. */
export function answerHeaders(given: OutgoingHttpHeaders | IncomingHttpHeaders): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) if (ANSWERED.has(name.toLowerCase()) && value !== undefined) passed[name] = value;
  return passed;
}
