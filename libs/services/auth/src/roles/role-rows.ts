import { accessContracts, authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Role = accessContracts.Role;

const DESCRIPTIONS: Record<authContracts.BuiltInRole, string> = {
  administrator: 'May do everything.',
  security: 'Writes policies, reads the audit log and decides about clients; sees servers and people.',
  operator: 'Registers and runs servers; sees policies, people and the state of the system.',
  member: 'Calls what policy permits and manages what is their own.',
};

/** The roles that never change. */
export const BUILT_IN_ROLES: readonly Role[] = Object.entries(authContracts.ROLES).map(([name, capabilities]) => ({
  name,
  description: DESCRIPTIONS[name as authContracts.BuiltInRole],
  capabilities: [...capabilities],
  builtIn: true,
}));

/** Custom roles by name. */
export function customRoleRows(db: Transaction): Promise<Role[]> {
  return db.query<Role>('SELECT name, description, capabilities, false AS "builtIn" FROM roles ORDER BY name');
}

/** Makes or replaces a custom role. */
export async function upsertRole(tx: Transaction, { name, description, capabilities }: Role, nowMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO roles (name, description, capabilities, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET description = EXCLUDED.description, capabilities = EXCLUDED.capabilities`,
    [name, description, capabilities, nowMs],
  );
}

/** Removes a custom role. */
export async function removeRole(tx: Transaction, name: string): Promise<void> {
  await tx.query('DELETE FROM roles WHERE name = $1', [name]);
}

/** Whether a person, team or service account has a role by name; a service account that was disabled never comes back and does not count. */
export async function isRoleGiven(tx: Transaction, name: string): Promise<boolean> {
  const [row] = await tx.query<{ given: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM people WHERE $1 = ANY (roles) AND NOT (kind = 'service_account' AND status = 'disabled'))
         OR EXISTS (SELECT 1 FROM teams WHERE $1 = ANY (roles)) AS given`,
    [name],
  );
  return row?.given === true;
}
