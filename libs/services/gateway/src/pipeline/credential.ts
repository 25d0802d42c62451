import type { Destination } from '@gatehouse/outbound';
import { Refusal } from '@gatehouse/kernel';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import type { Edge } from '../edge.js';
import { leaseIdentity } from '../identity/lease-identity.js';
import type { Identified } from './identify.js';
import { openedSession } from './opened-session.js';
import type { Resolved } from './resolve.js';
import { headersOf } from './upstream-headers.js';

interface Parts {
  identified: Identified;
  destination: Destination;
  headers: Record<string, string>;
  lease: LeasedCredential | undefined;
}

let earn: (parts: Parts) => Armed;

/** A permitted call with everything to send it: headers for one origin, and no other. */
export class Armed {
  protected readonly earned = true;
  readonly resolved: Resolved;
  readonly identified: Identified;
  readonly destination: Destination;
  /** Built from an allow-list: nothing the client sent as a header gets in but what is named here (E-46). */
  readonly headers: Record<string, string>;
  readonly lease: LeasedCredential | undefined;

  private constructor({ identified, destination, headers, lease }: Parts) {
    this.resolved = identified.resolved;
    this.identified = identified;
    this.destination = destination;
    this.headers = headers;
    this.lease = lease;
  }

  static {
    earn = (parts) => new Armed(parts);
  }
}

/**
 * Attaches the credential of the chosen identity, in the upstream session that was opened with it. Refuses with `url_refused`, `credential_missing`,
 * `credential_unbound`, `credential_expired`, `identity_dead`, `vault_unavailable`, `unknown_session` (a
 * `Last-Event-ID` of another session).
 */
export async function credential(identified: Identified, edge: Edge): Promise<Armed> {
  const { resolved, choice } = identified;
  const { destination } = resolved.server;
  if (destination instanceof Refusal) throw destination;
  const opening = openedSession(identified, destination, edge);
  const opened = opening instanceof Promise ? await opening : opening;
  const lease = choice.identity === null ? undefined : await leaseIdentity(choice.identity, resolved.server, destination, edge);
  const { draft } = resolved.caller.received;
  const headers = headersOf(resolved, opened, lease, edge);
  draft.mark('credential');
  return earn({ identified, destination, headers, lease });
}

/** The same call with the credential as it is by now: after the server refused the one before. */
export function rearmed({ identified }: Armed, edge: Edge): Promise<Armed> {
  return credential(identified, edge);
}
