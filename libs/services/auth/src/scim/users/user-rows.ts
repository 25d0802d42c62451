import type { JsonObject } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { UserValues } from '../resource/user-values.js';
import { listSql, type ListQuery } from '../scim-list.js';
import { USER_SQL } from './user-attributes.js';

/** A user as the database has them. */
export interface UserRow {
  personId: string;
  userName: string;
  externalId: string | null;
  attributes: JsonObject;
  /** What the directory said last; an administrator may have said otherwise since. */
  saidActive: boolean;
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The person's. */
  name: string;
  email: string | null;
  status: 'active' | 'disabled';
}

/** A person as they are before a change. */
export type Known = Pick<UserRow, 'personId' | 'name' | 'email' | 'status' | 'saidActive'>;

/** Whose an e-mail address is. */
export interface AddressOwner extends Known {
  /** Whether a directory may have this person: never the built-in administrator, nor somebody it has already. */
  free: boolean;
}

const COLUMNS = `u.person_id AS "personId", u.user_name AS "userName", u.external_id AS "externalId", u.attributes, u.said_active AS "saidActive",
  u.revision, u.created_at AS "createdAt", u.updated_at AS "updatedAt", p.name, p.email, p.status`;
const FROM = `FROM scim_users u JOIN people p ON p.id = u.person_id AND p.kind = 'person' AND NOT p.built_in`;
const LISTABLE = { attributes: USER_SQL, always: 'u.deleted_at IS NULL', order: 'u.created_at, u.person_id' };

/** One user, or undefined. */
export async function findUser(db: Transaction, id: string): Promise<UserRow | undefined> {
  return (await db.query<UserRow>(`SELECT ${COLUMNS} ${FROM} WHERE u.person_id = $1 AND u.deleted_at IS NULL`, [id]))[0];
}

/** A page of users, and how many there are in all. */
export async function listUsers(db: Transaction, query: ListQuery): Promise<{ total: number; rows: UserRow[] }> {
  const { where, order, params } = listSql(query, LISTABLE);
  const [counted] = await db.query<{ total: number }>(`SELECT count(*)::integer AS total ${FROM} WHERE ${where}`, params);
  const page = `LIMIT $${params.length + 1} OFFSET $${params.length + 2}`;
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE ${where} ORDER BY ${order} ${page}`;
  return { total: counted!.total, rows: query.count === 0 ? [] : await db.query<UserRow>(sql, [...params, query.count, query.startIndex - 1]) };
}

/** Whether another user has this name. */
export async function isUserNameTaken(tx: Transaction, userName: string, besides: string | null): Promise<boolean> {
  const sql = `SELECT 1 AS found FROM scim_users WHERE lower(user_name) = lower($1) AND deleted_at IS NULL AND person_id IS DISTINCT FROM $2`;
  return (await tx.query(sql, [userName, besides])).length > 0;
}

/** Whose an address is, or undefined. Somebody whom no directory had yet counts as said to be active. */
export async function ownerOfAddress(tx: Transaction, email: string): Promise<AddressOwner | undefined> {
  const [row] = await tx.query<AddressOwner>(
    `SELECT p.id AS "personId", p.name, p.email, p.status, coalesce(u.said_active, true) AS "saidActive",
            p.kind = 'person' AND NOT p.built_in AND (u.person_id IS NULL OR u.deleted_at IS NOT NULL) AS free
       FROM people p LEFT JOIN scim_users u ON u.person_id = p.id WHERE lower(p.email) = lower($1)`,
    [email],
  );
  return row;
}

/** Writes what people read of a person; they belong to the directory from now on. */
export async function updatePersonOf(tx: Transaction, personId: string, { name, email }: Pick<UserValues, 'name' | 'email'>): Promise<void> {
  await tx.query(`UPDATE people SET name = $2, email = $3, source = 'scim' WHERE id = $1`, [personId, name, email]);
}

/** Writes what the directory said of a person; the same again changes nothing. */
export async function upsertUser(tx: Transaction, personId: string, said: UserValues & { active: boolean }, nowMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO scim_users AS u (person_id, user_name, external_id, said_active, attributes, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
     ON CONFLICT (person_id) DO UPDATE SET user_name = EXCLUDED.user_name, external_id = EXCLUDED.external_id, said_active = EXCLUDED.said_active,
       attributes = EXCLUDED.attributes, updated_at = EXCLUDED.updated_at, revision = u.revision + 1, deleted_at = NULL,
       created_at = CASE WHEN u.deleted_at IS NULL THEN u.created_at ELSE EXCLUDED.created_at END
     WHERE u.deleted_at IS NOT NULL OR (u.user_name, u.external_id, u.said_active, u.attributes)
       IS DISTINCT FROM (EXCLUDED.user_name, EXCLUDED.external_id, EXCLUDED.said_active, EXCLUDED.attributes)`,
    [personId, said.userName, said.externalId, said.active, JSON.stringify(said.attributes), nowMs],
  );
}

/** Forgets what the directory said of a user, and the groups it put them in; their name is free again. */
export async function forgetUser(tx: Transaction, personId: string, saidActive: boolean, nowMs: number): Promise<void> {
  await tx.query(`DELETE FROM person_groups WHERE person_id = $1 AND provider = 'scim'`, [personId]);
  const left = await tx.query<{ id: string }>('DELETE FROM scim_members WHERE person_id = $1 RETURNING group_id AS id', [personId]);
  await tx.query('UPDATE scim_groups SET revision = revision + 1, updated_at = $2 WHERE id = ANY ($1)', [left.map(({ id }) => id), nowMs]);
  await tx.query(`UPDATE scim_users SET deleted_at = $3, said_active = $2, external_id = NULL, attributes = '{}' WHERE person_id = $1`, [personId, saidActive, nowMs]);
}

/** The groups of users, by user. */
export async function groupsOf(db: Transaction, personIds: readonly string[]): Promise<Map<string, { id: string; name: string }[]>> {
  const rows = await db.query<{ personId: string; id: string; name: string }>(
    `SELECT m.person_id AS "personId", g.id, g.display_name AS name FROM scim_members m JOIN scim_groups g ON g.id = m.group_id
      WHERE m.person_id = ANY ($1) ORDER BY g.created_at, g.id`,
    [personIds],
  );
  const groups = new Map<string, { id: string; name: string }[]>();
  for (const { personId, ...group } of rows) groups.set(personId, [...(groups.get(personId) ?? []), group]);
  return groups;
}
