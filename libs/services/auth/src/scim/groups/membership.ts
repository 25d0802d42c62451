import type { Transaction } from '@gatehouse/persistence';
import { scimRefusal } from '../scim-refusal.js';
import { nestedGroup } from './group-values.js';
import type { MemberChange } from './member-change.js';

/** A group while it changes. */
export interface ChangingGroup {
  id: string;
  /** What it is called in `person_groups` now. */
  name: string;
}

/** Refuses with `invalidValue` ids that are no users, naming the first. */
export async function refuseUnknownMembers(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const [unknown] = await tx.query<{ id: string; isGroup: boolean }>(
    `SELECT given.id, EXISTS (SELECT 1 FROM scim_groups g WHERE g.id = given.id) AS "isGroup"
       FROM unnest($1::text[]) AS given (id) LEFT JOIN scim_users u ON u.person_id = given.id AND u.deleted_at IS NULL
      WHERE u.person_id IS NULL LIMIT 1`,
    [ids],
  );
  if (unknown?.isGroup === true) throw nestedGroup();
  if (unknown !== undefined) throw scimRefusal('invalidValue', `There is no user with the id "${unknown.id}".`);
}

/**
 * Changes who is in a group, and in the group as teams see it, in the same transaction. Returns who
 * came and who left.
 */
export async function changeMembers(tx: Transaction, { id, name }: ChangingGroup, change: MemberChange): Promise<string[]> {
  const added = [...change.added];
  await refuseUnknownMembers(tx, added);
  const left = change.everybodyElseLeaves ? await othersLeave(tx, id, added) : await leave(tx, id, [...change.removed]);
  await tx.query(`DELETE FROM person_groups WHERE provider = 'scim' AND group_name = $1 AND person_id = ANY ($2)`, [name, left]);
  const came = await tx.query<{ id: string }>(
    'INSERT INTO scim_members (group_id, person_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING RETURNING person_id AS id',
    [id, added],
  );
  const newcomers = came.map((row) => row.id);
  await tx.query(`INSERT INTO person_groups (person_id, provider, group_name) SELECT unnest($2::text[]), 'scim', $1 ON CONFLICT DO NOTHING`, [name, newcomers]);
  return [...left, ...newcomers];
}

/** Gives a group its new name in what teams see. */
export async function renameMembership(tx: Transaction, from: string, to: string): Promise<void> {
  await tx.query(`UPDATE person_groups SET group_name = $2 WHERE provider = 'scim' AND group_name = $1`, [from, to]);
}

/** Whether a team is mapped to one of these groups of SCIM. */
export async function isMapped(tx: Transaction, names: readonly string[]): Promise<boolean> {
  return (await tx.query(`SELECT 1 AS found FROM team_groups WHERE provider = 'scim' AND group_name = ANY ($1) LIMIT 1`, [names])).length > 0;
}

/** Whether any of these is active, so that edges know them; null asks about the members of the group. */
export async function isAnybodyActive(tx: Transaction, { id }: Pick<ChangingGroup, 'id'>, people: readonly string[] | null): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 AS found FROM people p WHERE p.status = 'active'
        AND CASE WHEN $2::text[] IS NULL THEN p.id IN (SELECT person_id FROM scim_members WHERE group_id = $1) ELSE p.id = ANY ($2) END LIMIT 1`,
    [id, people],
  );
  return rows.length > 0;
}

async function leave(tx: Transaction, id: string, people: readonly string[]): Promise<string[]> {
  if (people.length === 0) return [];
  const rows = await tx.query<{ id: string }>('DELETE FROM scim_members WHERE group_id = $1 AND person_id = ANY ($2) RETURNING person_id AS id', [id, people]);
  return rows.map((row) => row.id);
}

async function othersLeave(tx: Transaction, id: string, staying: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `DELETE FROM scim_members m WHERE m.group_id = $1 AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS s (id) WHERE s.id = m.person_id)
     RETURNING m.person_id AS id`,
    [id, staying],
  );
  return rows.map((row) => row.id);
}
