import { Refusal } from '@gatehouse/kernel';
import type { Destination } from '@gatehouse/outbound';
import type { LeaseTarget } from '../credentials/credential-leases.js';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import type { Edge } from '../edge.js';
import type { EdgeServer } from '../snapshot/policy-state.js';
import type { DirectoryIdentity } from './identity-index.js';

/**
 * The credential of an identity: from memory, else from the vault, renewed first when it has ended; one
 * that is about to end is renewed in the background. Refuses with `identity_dead`, `credential_expired`,
 * `credential_missing`, `credential_unbound`, `vault_unavailable`.
 */
export async function leaseIdentity(identity: Pick<DirectoryIdentity, 'id' | 'owner'>, server: EdgeServer, destination: Destination, edge: Edge): Promise<LeasedCredential> {
  const target = { identityId: identity.id, owner: identity.owner, server: server.entry, origin: destination.origin };
  const lease = edge.leases.held(target) ?? (await leased(target, edge));
  const now = edge.clock.monotonicMs();
  if (lease.terms.renewAt <= now) edge.renewals.ahead(identity.id, lease, now);
  return lease;
}

async function leased(target: LeaseTarget, edge: Edge): Promise<LeasedCredential> {
  try {
    return await edge.leases.fetch(target);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'credential_expired') return renewedLease(target, edge);
    if (error.code === 'credential_unbound') await endedByMove(target, edge);
    throw error;
  }
}

// The server moved to another origin: its credentials must not follow it there, and auth ends them when it hears so.
async function endedByMove({ identityId }: LeaseTarget, edge: Edge): Promise<void> {
  const renewal = await edge.renewals.ask({ identityId, version: 0, cause: 'restarted', challenge: null });
  if (renewal === 'dead') throw new Refusal('identity_dead', { reason: 'origin_changed' });
}

async function renewedLease(target: LeaseTarget, edge: Edge): Promise<LeasedCredential> {
  const { identityId } = target;
  const renewal = await edge.renewals.ask({ identityId, version: edge.leases.versionOf(identityId), cause: 'expired', challenge: null });
  if (renewal === 'dead') throw new Refusal('identity_dead', { reason: 'not_accepted' });
  if (renewal === 'retrying' || renewal === 'unknown') throw new Refusal('credential_expired');
  return edge.leases.held(target) ?? (await edge.leases.fetch(target));
}

/**
 * Has a credential renewed that the server refused; true when leasing again gives a new one, false when auth
 * cannot be asked. Refuses with `identity_dead` and `credential_expired`.
 */
export async function renewRefused(identity: DirectoryIdentity, lease: LeasedCredential, challenge: string, edge: Edge): Promise<boolean> {
  const renewal = await edge.renewals.ask({ identityId: identity.id, version: lease.terms.version, cause: 'refused', challenge, wasAccepted: lease.wasAccepted });
  if (renewal === 'dead' || renewal === 'unchanged') throw new Refusal('identity_dead', { reason: 'not_accepted' });
  if (renewal === 'retrying') throw new Refusal('credential_expired');
  return renewal === 'fresh';
}
