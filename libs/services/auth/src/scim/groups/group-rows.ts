import type { JsonObject } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { SqlAttribute, SqlAttributes, SqlValues } from '../filter/filter-sql.js';
import { listSql, type ListQuery } from '../scim-list.js';
import { withSchema } from '../users/user-attributes.js';
import type { GroupValues } from './group-values.js';

/** A group as the database has it. */
export interface GroupRow {
  id: string;
  displayName: string;
  externalId: string | null;
  attributes: JsonObject;
  revision: number;
  createdAt: string;
  updatedAt: string;
}

/** Somebody in a group. */
export interface Member {
  id: string;
  name: string;
}

const COLUMNS = `g.id, g.display_name AS "displayName", g.external_id AS "externalId", g.attributes, g.revision, g.created_at AS "createdAt", g.updated_at AS "updatedAt"`;
const MEMBERS: SqlValues = {
  some: 'FROM scim_members m WHERE m.group_id = g.id AND',
  sub: new Map<string, SqlAttribute>([['value', { sql: 'm.person_id', as: 'exact' }]]),
};

/** What groups may be filtered and sorted by; `g` is `scim_groups`. */
export const GROUP_SQL: SqlAttributes = withSchema('urn:ietf:params:scim:schemas:core:2.0:Group', [
  ['id', { sql: 'g.id', as: 'exact' }],
  ['displayname', { sql: 'g.display_name', as: 'folded' }],
  ['externalid', { sql: 'g.external_id', as: 'exact' }],
  ['meta.created', { sql: 'g.created_at', as: 'time' }],
  ['meta.lastmodified', { sql: 'g.updated_at', as: 'time' }],
  ['members', MEMBERS],
]);

const LISTABLE = { attributes: GROUP_SQL, always: 'true', order: 'g.created_at, g.id' };

/** One group, or undefined. */
export async function findGroup(db: Transaction, id: string): Promise<GroupRow | undefined> {
  return (await db.query<GroupRow>(`SELECT ${COLUMNS} FROM scim_groups g WHERE g.id = $1`, [id]))[0];
}

/** A page of groups, and how many there are in all. */
export async function listGroups(db: Transaction, query: ListQuery): Promise<{ total: number; rows: GroupRow[] }> {
  const { where, order, params } = listSql(query, LISTABLE);
  const [counted] = await db.query<{ total: number }>(`SELECT count(*)::integer AS total FROM scim_groups g WHERE ${where}`, params);
  const sql = `SELECT ${COLUMNS} FROM scim_groups g WHERE ${where} ORDER BY ${order} LIMIT $${params.length + 1} OFFSET $${params.length + 2}`;
  return { total: counted!.total, rows: query.count === 0 ? [] : await db.query<GroupRow>(sql, [...params, query.count, query.startIndex - 1]) };
}

/** Whether another group has this name. */
export async function isGroupNameTaken(tx: Transaction, displayName: string, besides: string | null): Promise<boolean> {
  const sql = 'SELECT 1 AS found FROM scim_groups WHERE lower(display_name) = lower($1) AND id IS DISTINCT FROM $2';
  return (await tx.query(sql, [displayName, besides])).length > 0;
}

/** Adds a group without members. */
export async function insertGroup(tx: Transaction, id: string, { displayName, externalId, attributes }: GroupValues, nowMs: number): Promise<void> {
  await tx.query('INSERT INTO scim_groups (id, display_name, external_id, attributes, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)', [
    ...[id, displayName, externalId, JSON.stringify(attributes), nowMs],
  ]);
}

/** Writes what a group is called; the same again changes nothing, unless its members changed. */
export async function updateGroup(tx: Transaction, id: string, { displayName, externalId, attributes }: GroupValues, o: { touched: boolean; nowMs: number }): Promise<void> {
  await tx.query(
    `UPDATE scim_groups SET display_name = $2, external_id = $3, attributes = $4::jsonb, revision = revision + 1, updated_at = $6
      WHERE id = $1 AND ($5 OR (display_name, external_id, attributes) IS DISTINCT FROM ($2::text, $3::text, $4::jsonb))`,
    [id, displayName, externalId, JSON.stringify(attributes), o.touched, o.nowMs],
  );
}

/** Removes a group and its members. */
export async function deleteGroup(tx: Transaction, id: string): Promise<void> {
  await tx.query('DELETE FROM scim_groups WHERE id = $1', [id]);
}

/** How many members groups have in all. */
export async function countMembers(db: Transaction, groupIds: readonly string[]): Promise<number> {
  const [row] = await db.query<{ count: number }>('SELECT count(*)::integer AS count FROM scim_members WHERE group_id = ANY ($1)', [groupIds]);
  return row!.count;
}

/** The members of groups, by group. */
export async function membersOf(db: Transaction, groupIds: readonly string[]): Promise<Map<string, Member[]>> {
  const rows = await db.query<{ id: string; members: Member[] }>(
    `SELECT m.group_id AS id, json_agg(json_build_object('id', p.id, 'name', p.name) ORDER BY p.id) AS members
       FROM scim_members m JOIN people p ON p.id = m.person_id WHERE m.group_id = ANY ($1) GROUP BY m.group_id`,
    [groupIds],
  );
  return new Map(rows.map(({ id, members }) => [id, members]));
}
