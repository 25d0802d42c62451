import type { Transaction } from '@gatehouse/persistence';
import { EFFECTIVE } from '../people/effective-access.js';

/** A person as the sign-in sees them. */
export interface Account {
  id: string;
  name: string;
  email: string | null;
  status: 'active' | 'disabled';
  source: 'local' | 'sign-in' | 'scim';
}

/** Who somebody is at their provider. */
export interface LoginKey {
  issuer: string;
  subject: string;
}

/** A sign-in of a person, at a time, with the address that the provider vouches for. */
export interface SeenLogin {
  personId: string;
  email: string | null;
  nowMs: number;
}

const COLUMNS = 'p.id, p.name, p.email, p.status, p.source';

/** The person of a login that was seen before. */
export async function accountOf(tx: Transaction, { issuer, subject }: LoginKey): Promise<Account | undefined> {
  const sql = `SELECT ${COLUMNS} FROM logins l JOIN people p ON p.id = l.person_id WHERE l.issuer = $1 AND l.subject = $2`;
  return (await tx.query<Account>(sql, [issuer, subject]))[0];
}

/**
 * The person added before whom a verified address belongs to. Never a service account or the built-in
 * administrator, and nobody who has a login at this issuer: that one is somebody else there.
 */
export async function accountToLink(tx: Transaction, issuer: string, email: string): Promise<Account | undefined> {
  const sql = `SELECT ${COLUMNS} FROM people p
    WHERE lower(p.email) = lower($2) AND p.kind = 'person' AND NOT p.built_in
      AND NOT EXISTS (SELECT 1 FROM logins l WHERE l.person_id = p.id AND l.issuer = $1)`;
  return (await tx.query<Account>(sql, [issuer, email]))[0];
}

/** Whether an address is somebody else's already. */
export async function isTaken(tx: Transaction, email: string, besides: string | null): Promise<boolean> {
  const rows = await tx.query('SELECT 1 AS found FROM people WHERE lower(email) = lower($1) AND id IS DISTINCT FROM $2', [email, besides]);
  return rows.length > 0;
}

/** Adds a person who came by themselves. */
export async function insertAccount(tx: Transaction, { id, name, email }: Account, nowMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO people (id, name, email, roles, teams, status, source, created_at)
     VALUES ($1, $2, $3, '{member}', '{}', 'active', 'sign-in', $4)`,
    [id, name, email, nowMs],
  );
}

/** Writes what the provider calls a person now. */
export async function renameAccount(tx: Transaction, { id, name, email }: Pick<Account, 'id' | 'name' | 'email'>): Promise<void> {
  await tx.query('UPDATE people SET name = $2, email = $3 WHERE id = $1', [id, name, email]);
}

/** Notes a sign-in; true when the login is new. */
export async function noteLogin(tx: Transaction, key: LoginKey, { personId, email, nowMs }: SeenLogin): Promise<boolean> {
  await tx.query('UPDATE people SET last_sign_in_at = $2 WHERE id = $1', [personId, nowMs]);
  const known = await tx.query(
    'UPDATE logins SET last_at = $3, email = coalesce($4, email) WHERE issuer = $1 AND subject = $2 RETURNING subject',
    [key.issuer, key.subject, nowMs, email],
  );
  if (known.length > 0) return false;
  await tx.query('INSERT INTO logins (issuer, subject, person_id, email, last_at) VALUES ($1, $2, $3, $4, $5)', [key.issuer, key.subject, personId, email, nowMs]);
  return true;
}

/** Makes these a person's groups at one provider; true when something changed. */
export async function replaceGroups(tx: Transaction, personId: string, provider: string, groups: readonly string[]): Promise<boolean> {
  const gone = await tx.query(
    'DELETE FROM person_groups WHERE person_id = $1 AND provider = $2 AND group_name <> ALL ($3::text[]) RETURNING group_name',
    [personId, provider, groups],
  );
  const added = await tx.query(
    `INSERT INTO person_groups (person_id, provider, group_name) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING RETURNING group_name`,
    [personId, provider, groups],
  );
  return gone.length + added.length > 0;
}

/** Whether anybody who can sign in is administrator, by name or by a team. */
export async function someoneAdministers(tx: Transaction): Promise<boolean> {
  const rows = await tx.query(
    `WITH ${EFFECTIVE} SELECT 1 AS found FROM people p JOIN effective_roles e ON e.caller_id = p.id
      WHERE p.kind = 'person' AND p.status = 'active' AND e.role = 'administrator'
        AND EXISTS (SELECT 1 FROM logins l WHERE l.person_id = p.id) LIMIT 1`,
  );
  return rows.length > 0;
}

/** Makes a person administrator. */
export async function makeAdministrator(tx: Transaction, personId: string): Promise<void> {
  await tx.query(`UPDATE people SET roles = array_append(array_remove(roles, 'administrator'), 'administrator') WHERE id = $1`, [personId]);
}
