import type { accessContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { EFFECTIVE } from '../people/effective-access.js';

type Team = accessContracts.Team;

const SELECT = `WITH ${EFFECTIVE}
  SELECT t.name, t.roles,
         coalesce((SELECT json_agg(json_build_object('provider', g.provider, 'group', g.group_name) ORDER BY g.provider, g.group_name)
                     FROM team_groups g WHERE g.team = t.name), '[]') AS groups,
         coalesce(m.members, 0)::integer AS members
    FROM teams t
    LEFT JOIN (SELECT e.team, count(*) AS members FROM effective_teams e JOIN people p ON p.id = e.caller_id
                WHERE p.status = 'active' GROUP BY e.team) m ON m.team = t.name`;

/** All teams by name; members are who is active and in it, by name or by group. */
export function allTeams(db: Transaction): Promise<Team[]> {
  return db.query<Team>(`${SELECT} ORDER BY t.name`);
}

/** One team, or undefined. */
export async function findTeam(db: Transaction, name: string): Promise<Team | undefined> {
  return (await db.query<Team>(`${SELECT} WHERE t.name = $1`, [name]))[0];
}

/** Makes those of the teams that are not there yet, without roles. */
export async function addMissingTeams(tx: Transaction, names: readonly string[], nowMs: number): Promise<void> {
  await tx.query('INSERT INTO teams (name, created_at) SELECT unnest($1::text[]), $2 ON CONFLICT (name) DO NOTHING', [names, nowMs]);
}

/** Replaces a team's roles and groups. */
export async function updateTeam(tx: Transaction, { name, roles, groups }: Pick<Team, 'name' | 'roles' | 'groups'>): Promise<void> {
  await tx.query('UPDATE teams SET roles = $2 WHERE name = $1', [name, roles]);
  await tx.query('DELETE FROM team_groups WHERE team = $1', [name]);
  await tx.query(
    `INSERT INTO team_groups (team, provider, group_name) SELECT $1, provider, group_name FROM unnest($2::text[], $3::text[]) AS g (provider, group_name)
     ON CONFLICT DO NOTHING`,
    [name, groups.map(({ provider }) => provider), groups.map(({ group }) => group)],
  );
}

/** Removes a team from everybody who was given it by name, and its groups. */
export async function removeTeam(tx: Transaction, name: string): Promise<void> {
  await tx.query('UPDATE people SET teams = array_remove(teams, $1) WHERE $1 = ANY (teams)', [name]);
  await tx.query('DELETE FROM teams WHERE name = $1', [name]);
}
