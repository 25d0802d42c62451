import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { customRoles, isBuiltIn } from './role-capabilities.js';

/** Refuses with `bad_request`, naming it, a role that is neither built in nor in the table. */
export async function refuseUnknownRoles(tx: Transaction, roles: readonly string[]): Promise<void> {
  const custom = await customRoles(tx);
  const unknown = roles.find((role) => !isBuiltIn(role) && !custom.has(role));
  if (unknown !== undefined) throw new Refusal('bad_request', { field: 'roles', role: unknown, problem: 'is no role' });
}
