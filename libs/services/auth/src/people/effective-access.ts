import type { authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { capabilitiesOfRoles, customRoles } from '../roles/role-capabilities.js';

/**
 * Who is in which team and has which role, for a `WITH` clause: `effective_teams (caller_id, team)`,
 * own ones and those whose groups the person is in; `effective_roles (caller_id, role)`, own ones
 * and those of the effective teams. The only place that says so; regardless of status.
 */
export const EFFECTIVE = `
  effective_teams AS NOT MATERIALIZED (
    SELECT p.id AS caller_id, own.team FROM people p CROSS JOIN LATERAL unnest(p.teams) AS own (team)
    UNION
    SELECT g.person_id, m.team FROM person_groups g JOIN team_groups m ON m.provider = g.provider AND m.group_name = g.group_name
  ),
  effective_roles AS NOT MATERIALIZED (
    SELECT p.id AS caller_id, own.role FROM people p CROSS JOIN LATERAL unnest(p.roles) AS own (role)
    UNION
    SELECT e.caller_id, given.role
      FROM effective_teams e JOIN teams t ON t.name = e.team CROSS JOIN LATERAL unnest(t.roles) AS given (role)
  )`;

/** Joins beside `people p`, after `EFFECTIVE`: `r.roles` and `t.teams`, sorted; null for none. */
export const EFFECTIVE_OF_P = `
  LEFT JOIN (SELECT caller_id, array_agg(role ORDER BY role) AS roles FROM effective_roles GROUP BY caller_id) r ON r.caller_id = p.id
  LEFT JOIN (SELECT caller_id, array_agg(team ORDER BY team) AS teams FROM effective_teams GROUP BY caller_id) t ON t.caller_id = p.id`;

/** What somebody has, with everything that teams and groups give. */
export interface EffectiveAccess {
  status: 'active' | 'disabled';
  roles: string[];
  teams: string[];
}

/** What a caller has, or undefined for nobody; a disabled one as if they were active. */
export async function effectiveAccess(tx: Transaction, callerId: string): Promise<EffectiveAccess | undefined> {
  const sql = `WITH ${EFFECTIVE}
    SELECT p.status, coalesce(r.roles, '{}') AS roles, coalesce(t.teams, '{}') AS teams FROM people p ${EFFECTIVE_OF_P} WHERE p.id = $1`;
  return (await tx.query<EffectiveAccess>(sql, [callerId]))[0];
}

/** What a caller may do in the admin API: nothing for one who is disabled or unknown. */
export async function capabilitiesOf(tx: Transaction, callerId: string): Promise<authContracts.Capability[]> {
  const access = await effectiveAccess(tx, callerId);
  return access?.status === 'active' ? capabilitiesOfRoles(access.roles, await customRoles(tx)) : [];
}
