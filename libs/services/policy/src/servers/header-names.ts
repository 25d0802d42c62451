import { Refusal, requireHeaderNames } from '@gatehouse/kernel';

/** What proves to Gatehouse who calls: a server that saw it could call Gatehouse in that person's name. */
const CALLERS_PROOF = new Set(['authorization', 'dpop']);

/**
 * The names of the client's headers that go up as they came. Besides what no server is sent, the caller's own proof
 * is refused (token passthrough), and names in `sent`: a client must not speak in the administrator's place.
 */
export function requireForwardNames(forwarded: readonly string[], sent: readonly string[]): void {
  const proof = forwarded.find((header) => CALLERS_PROOF.has(header.toLowerCase()));
  if (proof !== undefined) throw new Refusal('header_refused', { header: proof, reason: 'reserved' });
  requireHeaderNames([...sent, ...forwarded]);
}
