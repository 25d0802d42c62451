import { Refusal } from '@gatehouse/kernel';
import type { CredentialLeases } from '../credentials/credential-leases.js';
import type { PolicyState } from './policy-state.js';

/**
 * Forgets the leases and connections of servers that were restarted since: a credential that was replaced and an
 * address that moved are asked for anew. What calls are carrying ends in peace.
 */
export function forgetRestarted(before: PolicyState | undefined, now: PolicyState, leases: CredentialLeases): void {
  for (const { entry } of now.servers()) {
    const known = before?.serverById(entry.id);
    if (known === undefined || known.entry.restarts === entry.restarts) continue;
    leases.dropServer(entry.id);
    if (!(known.destination instanceof Refusal)) known.destination.forgetConnections();
  }
}
