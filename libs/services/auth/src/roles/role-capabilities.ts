import { authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

/** Custom roles and what stands in them, by name. */
export type CustomRoles = ReadonlyMap<string, readonly string[]>;

/** The custom roles there are. */
export async function customRoles(db: Transaction): Promise<CustomRoles> {
  const rows = await db.query<{ name: string; capabilities: string[] }>('SELECT name, capabilities FROM roles');
  return new Map(rows.map(({ name, capabilities }) => [name, capabilities]));
}

/** Whether a name is a built-in role's, which no custom role may take. */
export function isBuiltIn(name: string): name is authContracts.BuiltInRole {
  return Object.hasOwn(authContracts.ROLES, name);
}

/** Every capability that stands in these roles, also ones this release does not know; a role nobody defined has none. */
export function capabilitiesIn(roles: readonly string[], custom: CustomRoles): Set<string> {
  return new Set(roles.flatMap((role) => (isBuiltIn(role) ? [...authContracts.ROLES[role]] : [...(custom.get(role) ?? [])])));
}

/** What the roles together permit in the admin API, in the order of the contract: what a newer release added gives nothing here. */
export function capabilitiesOfRoles(roles: readonly string[], custom: CustomRoles): authContracts.Capability[] {
  const held = capabilitiesIn(roles, custom);
  return authContracts.CAPABILITIES.filter((capability) => held.has(capability));
}
