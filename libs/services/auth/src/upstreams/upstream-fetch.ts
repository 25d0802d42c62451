import type { upstreamContracts } from '@gatehouse/contracts';
import { guardedFetch, type Outbound } from '@gatehouse/outbound';

/** A `fetch` through the guard, as libraries call it. */
export type UpstreamFetch = ReturnType<typeof guardedFetch>;

/** What decides over a request to an upstream's authorization server. */
export type Reachability = Pick<upstreamContracts.UpstreamServer, 'allowPrivateNetwork' | 'caCertificate' | 'oauth'>;

const MAX_BYTES = 262_144;
const TIMEOUT_MS = 10_000;

/**
 * The `fetch` for everything that a server's metadata names. Private addresses are reached only where
 * the server itself may be private: whatever a document says, nothing else is dialled (SSRF). An answer
 * is waited for as long as the server's settings say (ten seconds), never longer than `longestMs`.
 */
export function upstreamFetch(outbound: Outbound, { allowPrivateNetwork, caCertificate, oauth }: Reachability, longestMs = Infinity): UpstreamFetch {
  const timeoutMs = Math.min(longestMs, oauth.timeoutMs ?? TIMEOUT_MS);
  return guardedFetch(outbound, { allowPrivateNetwork, caCertificate, maxBytes: MAX_BYTES, timeoutMs });
}

const ONE_MS = 5_000;
const ALL_MS = 14_000;

/** The `fetch` of one discovery: a host that hangs at every address must not outlast who asked. */
export function discoveryFetch(outbound: Outbound, of: Reachability): UpstreamFetch {
  const fetch = upstreamFetch(outbound, of, ONE_MS);
  const signal = AbortSignal.timeout(ALL_MS);
  return (url, request) => fetch(url, { ...request, signal });
}
