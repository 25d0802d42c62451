import type { Transaction } from '@gatehouse/persistence';

/**
 * Whoever may not come in any more has no accounts here either: what the vault has of them is destroyed
 * by the next sweep, which also tells of it. Enabled again, they connect anew.
 */
export async function endIdentitiesOf(tx: Transaction, owner: string, nowMs: number): Promise<void> {
  await tx.query(
    `UPDATE identities SET status = 'revoked', reason = 'owner_gone', due_at = NULL, shred_at = $2 WHERE owner = $1 AND NOT hidden AND status <> 'revoked'`,
    [owner, nowMs],
  );
}
