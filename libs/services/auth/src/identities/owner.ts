import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { isActive } from '../people/person-rows.js';
import type { IdentityRow } from './identity-rows.js';

/** Refuses with `bad_request` an owner who is not there or is disabled. */
export async function refuseInactiveOwner(tx: Transaction, owner: IdentityRow['owner']): Promise<void> {
  if (owner === 'global' || (await isActive(tx, owner)) === true) return;
  throw new Refusal('bad_request', { field: 'owner', problem: 'is disabled' });
}
