import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { EFFECTIVE } from '../people/effective-access.js';

/** Whether an active person is administrator, by name or by a team. */
export async function hasAdministrator(tx: Transaction): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>(
    `WITH ${EFFECTIVE} SELECT EXISTS (SELECT 1 FROM people p JOIN effective_roles e ON e.caller_id = p.id
       WHERE p.kind = 'person' AND p.status = 'active' AND e.role = 'administrator') AS found`,
  );
  return row?.found === true;
}

/**
 * Runs work that may take a role away from somebody. Refuses with `conflict`, reason
 * `last_administrator`, when nobody would be left who could undo it. Call it inside
 * `DirectoryChanges.apply`, where changes take turns.
 */
export async function keepAnAdministrator<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  const had = await hasAdministrator(tx);
  const result = await work();
  if (had && !(await hasAdministrator(tx))) throw new Refusal('conflict', { reason: 'last_administrator' });
  return result;
}
