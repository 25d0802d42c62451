import type { Transaction } from '@gatehouse/persistence';
import { endGrants } from '../authorization-server/end-grants.js';
import { endIdentitiesOf } from '../identities/end-identities.js';
import { endLoginSessionsOf } from '../sign-in/login-session-rows.js';
import { revokeAllOf } from '../tokens/token-rows.js';
import { markStatus } from './person-rows.js';

/**
 * Everything by which a caller is let in is over, for good: tokens, grants with their access
 * tokens, codes and consents under way, login sessions. Call it inside
 * `DirectoryChanges.apply` and report a change.
 */
export async function endAccessOf(tx: Transaction, callerId: string, nowMs: number): Promise<void> {
  await revokeAllOf(tx, callerId, nowMs);
  await endGrants(tx, { callerId }, nowMs);
  await endLoginSessionsOf(tx, callerId);
  await tx.query('DELETE FROM artefacts WHERE account_id = $1', [callerId]);
}

/** Disables a person or service account and ends all their access and their accounts at servers, in the transaction of the change. */
export async function disableCaller(tx: Transaction, callerId: string, nowMs: number): Promise<void> {
  await markStatus(tx, callerId, 'disabled');
  await endAccessOf(tx, callerId, nowMs);
  await endIdentitiesOf(tx, callerId, nowMs);
}
