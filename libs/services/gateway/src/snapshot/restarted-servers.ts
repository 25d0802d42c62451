import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { PolicyState } from './policy-state.js';

/**
 * Forgets the leases and connections of servers that were restarted since: a credential that was replaced and an
 * address that moved are asked for anew, and the organisation's accounts in use there get new tokens. What calls are
 * carrying ends in peace.
 */
export function forgetRestarted(before: PolicyState | undefined, now: PolicyState, { leases, renewals }: Pick<Edge, 'leases' | 'renewals'>): void {
  for (const { entry } of now.servers()) {
    const known = before?.serverById(entry.id);
    if (known === undefined || known.entry.restarts === entry.restarts) continue;
    for (const identityId of leases.dropServer(entry.id)) {
      void renewals.ask({ identityId, version: leases.versionOf(identityId), cause: 'restarted', challenge: null });
    }
    if (!(known.destination instanceof Refusal)) known.destination.forgetConnections();
  }
}
