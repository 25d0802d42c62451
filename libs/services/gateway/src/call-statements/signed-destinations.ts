import { newId, type Clock } from '@gatehouse/kernel';
import type { Destination, Outbound } from '@gatehouse/outbound';
import type { StatementKeys } from './statement-keys.js';

/** Carries the statement. Reserved where headers of servers are set. */
export const CALL_HEADER = 'gatehouse-call';

/** A server's entry in the snapshot, or what of it the outbound client needs. */
type Entry = Parameters<Outbound['destination']>[1] & { readonly url?: string; readonly signCalls?: boolean };

/**
 * Destinations whose every request carries a statement where the server asks for them, whoever sends it:
 * what is no caller's (a probe, an event stream that calls share) is said to be Gatehouse's own. Without
 * a key the request fails with `vault_unavailable`.
 */
export class SignedDestinations {
  constructor(
    private readonly outbound: Outbound,
    private readonly keys: StatementKeys,
    private readonly by: { issuer: string; clock: Clock },
  ) {}

  /** As `Outbound.destination`: for a server's address, and for others that the server names. */
  destination(url: string, entry: Entry): Destination {
    const plain = this.outbound.destination(url, entry);
    if (entry.signCalls !== true) return plain;
    const { issuer, clock } = this.by;
    const aud = entry.url ?? url;
    return plain.stamped({
      header: CALL_HEADER,
      value: (body) => this.keys.statement({ aud, sub: issuer, jti: newId('call', clock) }, body),
    });
  }
}
