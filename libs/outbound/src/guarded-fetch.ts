import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Outbound } from './outbound.js';
import type { SmallAnswer } from './small-answer.js';

type FetchHeaders = ConstructorParameters<typeof Headers>[0];

/** The bounds of every request of one guarded `fetch`. */
export interface GuardedFetchOptions {
  /** http, loopback and private addresses are reached only with it. */
  allowPrivateNetwork: boolean;
  /** PEM certificates trusted for these requests besides those that all are made with. */
  caCertificate?: string | null;
  maxBytes: number;
  /** From the call to the last byte, connecting included. */
  timeoutMs: number;
}

/** What libraries for OAuth and OpenID call `fetch` with, and all that is looked at. */
export interface GuardedRequest {
  method?: string | undefined;
  headers?: FetchHeaders;
  body?: unknown;
  signal?: AbortSignal | null | undefined;
}

const METHODS = ['GET', 'POST'] as const;
/** Libraries add more; whatever else they say is not sent. */
const HEADERS = ['accept', 'authorization', 'content-type', 'dpop', 'user-agent'];
const NO_BODY = [204, 205, 304];

/**
 * A `fetch` for libraries, over the guard: no redirect is followed (the 3xx is the answer), only GET
 * and POST, only a few request headers, whole answers up to a size and within a time. Rejects with
 * the refusals of `Destination.fetchSmall`, `url_refused`, or `bad_request` for what it does not send.
 */
export function guardedFetch(outbound: Outbound, options: GuardedFetchOptions): (url: string | URL, request?: GuardedRequest) => Promise<Response> {
  const { allowPrivateNetwork, caCertificate, maxBytes, timeoutMs } = options;
  return async (url, request = {}) => {
    const destination = outbound.destination(String(url), { allowPrivateNetwork, caCertificate });
    const answer = await destination.fetchSmall({
      method: methodOf(request.method),
      headers: headersOf(request.headers),
      body: bodyOf(request.body),
      signal: request.signal ?? undefined,
      maxBytes,
      timeoutMs,
    });
    return asResponse(answer);
  };
}

function methodOf(method = 'GET'): (typeof METHODS)[number] {
  const known = METHODS.find((name) => name === method.toUpperCase());
  if (known === undefined) throw new Refusal('bad_request', { problem: 'method' });
  return known;
}

function headersOf(given: FetchHeaders = {}): Record<string, string> {
  return Object.fromEntries([...new Headers(given)].filter(([name]) => HEADERS.includes(name)));
}

function bodyOf(body: unknown): Buffer | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body), 'utf8');
  if (body instanceof Uint8Array) return Buffer.from(body);
  throw new Refusal('bad_request', { problem: 'body' });
}

function asResponse({ status, headers, body }: SmallAnswer): Response {
  if (status > 599) throw new Refusal('upstream_invalid', { reason: 'http' });
  return new Response(NO_BODY.includes(status) ? null : new Uint8Array(body), { status, headers: linesOf(headers) });
}

function linesOf(headers: IncomingHttpHeaders): Headers {
  const lines = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) lines.append(name, each);
  }
  return lines;
}
