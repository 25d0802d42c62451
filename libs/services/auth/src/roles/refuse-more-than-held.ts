import type { Actor } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { effectiveAccess } from '../people/effective-access.js';
import { capabilitiesIn, customRoles } from './role-capabilities.js';

/** What a change gives to, or takes from, somebody. */
export interface Given {
  roles?: readonly string[];
  /** With the roles that each has now. */
  teams?: readonly string[];
  capabilities?: readonly string[];
}

/**
 * Nobody can grant what they do not have: refuses with `capability_missing`, naming the first
 * capability in what is given that the actor lacks. An actor who was disabled a moment ago has
 * nothing and may change nothing. Call it in the transaction of the change.
 */
export async function refuseMoreThanHeld(tx: Transaction, actor: Pick<Actor, 'callerId'>, given: Given): Promise<void> {
  const access = await effectiveAccess(tx, actor.callerId);
  if (access?.status !== 'active') throw new Refusal('capability_missing', { reason: 'actor_disabled' });
  // Else a capability that only a newer release knows could be taken from nobody.
  if (access.roles.includes('administrator')) return;
  const custom = await customRoles(tx);
  const held = capabilitiesIn(access.roles, custom);
  const roles = [...(given.roles ?? []), ...(await rolesOfTeams(tx, given.teams ?? []))];
  const wanted = [...(given.capabilities ?? []), ...capabilitiesIn(roles, custom)];
  const missing = wanted.find((capability) => !held.has(capability));
  if (missing !== undefined) throw new Refusal('capability_missing', { capability: missing });
}

/** Refuses with `capability_missing` to change somebody who holds more than the actor: an operator must not disable an administrator. */
export async function refuseStronger(tx: Transaction, actor: Pick<Actor, 'callerId'>, callerId: string): Promise<void> {
  const access = await effectiveAccess(tx, callerId);
  await refuseMoreThanHeld(tx, actor, { roles: access?.roles ?? [] });
}

async function rolesOfTeams(tx: Transaction, teams: readonly string[]): Promise<string[]> {
  if (teams.length === 0) return [];
  const rows = await tx.query<{ role: string }>('SELECT DISTINCT unnest(roles) AS role FROM teams WHERE name = ANY ($1) ORDER BY role', [teams]);
  return rows.map(({ role }) => role);
}
