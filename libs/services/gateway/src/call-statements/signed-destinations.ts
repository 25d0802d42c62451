import { newId, type Clock } from '@gatehouse/kernel';
import type { Destination, Outbound } from '@gatehouse/outbound';
import type { UpstreamProofs } from '../upstream-proofs/upstream-proofs.js';
import type { StatementKeys } from './statement-keys.js';

/** Carries the statement. Reserved where headers of servers are set. */
export const CALL_HEADER = 'gatehouse-call';

/** A server's entry in the snapshot, or what of it the outbound client needs. */
type Entry = Parameters<Outbound['destination']>[1] & { readonly url?: string; readonly signCalls?: boolean };

/** What statements are made with, and proofs for bound tokens. */
interface SignedBy {
  issuer: string;
  clock: Clock;
  proofs: UpstreamProofs;
}

/**
 * Destinations whose every request carries a statement where the server asks for them, whoever sends it:
 * what is no caller's (a probe, an event stream that calls share) is said to be Gatehouse's own. Without
 * a key the request fails with `vault_unavailable`. Every request with a bound token carries its proof.
 */
export class SignedDestinations {
  constructor(
    private readonly outbound: Outbound,
    private readonly keys: StatementKeys,
    private readonly by: SignedBy,
  ) {}

  /** As `Outbound.destination`: for a server's address, and for others that the server names. */
  destination(url: string, entry: Entry): Destination {
    const { issuer, clock, proofs } = this.by;
    const plain = this.outbound.destination(url, entry).stamped(proofs);
    if (entry.signCalls !== true) return plain;
    const aud = entry.url ?? url;
    return plain.stamped({
      header: CALL_HEADER,
      value: ({ body }) => this.keys.statement({ aud, sub: issuer, jti: newId('call', clock) }, body),
    });
  }
}
