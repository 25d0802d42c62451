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
 * the server itself may be private: whatever a document says, nothing else is dialled (SSRF).
 */
export function upstreamFetch(outbound: Outbound, { allowPrivateNetwork, caCertificate, oauth }: Reachability, longestMs = TIMEOUT_MS): UpstreamFetch {
  const timeoutMs = Math.min(longestMs, oauth.timeoutMs ?? longestMs);
  return guardedFetch(outbound, { allowPrivateNetwork, caCertificate, maxBytes: MAX_BYTES, timeoutMs });
}
