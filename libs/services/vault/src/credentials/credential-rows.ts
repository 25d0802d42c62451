import type { Transaction } from '@gatehouse/persistence';

/** What a credential belongs to; told by the register of servers, checked at every lease. */
export interface CredentialBinding {
  identityId: string;
  serverId: string;
  /** The only origin the credential may be sent to. */
  origin: string;
  /** `global` or a person's id. */
  owner: string;
}

/** A credential as it is stored. */
export interface ExpiringCredential extends CredentialBinding {
  /** Epoch milliseconds after which it is leased no more; null when it has no known end. */
  expiresAt: number | null;
}

/** A credential's row; a destroyed one stays so that its version goes on counting. */
export interface CredentialRow extends ExpiringCredential {
  version: number;
  destroyed: boolean;
}

/** One sealed field of the newest version. */
export interface FieldRow {
  name: string;
  secretId: string;
  blob: Buffer;
}

/** The columns of a row, of the table as `c`. As float8, which holds epoch milliseconds exactly: a bigint would arrive as a string. */
export const CREDENTIAL_COLUMNS = `c.identity_id AS "identityId", c.server_id AS "serverId", c.origin, c.owner, c.version, c.destroyed,
  c.expires_at::float8 AS "expiresAt"`;

/** The row, or undefined. With `lock` the transaction holds it until its end. */
export async function credentialRow(tx: Transaction, identityId: string, lock = false): Promise<CredentialRow | undefined> {
  const sql = `SELECT ${CREDENTIAL_COLUMNS} FROM credentials c WHERE identity_id = $1${lock ? ' FOR UPDATE' : ''}`;
  const [row] = await tx.query<CredentialRow>(sql, [identityId]);
  return row;
}

/** The row, locked; made with version 0 when this is the identity's first credential. */
export async function lockOrAddRow(tx: Transaction, binding: CredentialBinding, nowMs: number): Promise<CredentialRow> {
  const { identityId, serverId, origin, owner } = binding;
  await tx.query(
    `INSERT INTO credentials (identity_id, server_id, origin, owner, version, changed_at)
     VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (identity_id) DO NOTHING`,
    [identityId, serverId, origin, owner, nowMs],
  );
  return (await credentialRow(tx, identityId, true))!;
}

/** A credential and its fields as one statement sees them: no store can come between the two. */
export async function readCredential(tx: Transaction, identityId: string): Promise<{ row: CredentialRow; fields: FieldRow[] } | undefined> {
  const rows = await tx.query<CredentialRow & FieldRow>(
    `SELECT ${CREDENTIAL_COLUMNS}, f.name, f.secret_id AS "secretId", f.blob
       FROM credentials c LEFT JOIN credential_fields f USING (identity_id)
      WHERE identity_id = $1 ORDER BY f.position`,
    [identityId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return { row, fields: rows.filter((field) => field.blob !== null) };
}

/** Replaces the fields by those of a new version: the old blobs are gone, not kept aside. */
export async function replaceFields(tx: Transaction, next: CredentialRow, fields: readonly FieldRow[], nowMs: number): Promise<void> {
  await tx.query('DELETE FROM credential_fields WHERE identity_id = $1', [next.identityId]);
  const { identityId, origin, owner, version, destroyed, expiresAt } = next;
  await tx.query(
    'UPDATE credentials SET origin = $2, owner = $3, version = $4, destroyed = $5, expires_at = $6, changed_at = $7 WHERE identity_id = $1',
    [identityId, origin, owner, version, destroyed, expiresAt, nowMs],
  );
  for (const [position, { name, secretId, blob }] of fields.entries()) {
    await tx.query('INSERT INTO credential_fields (identity_id, position, name, secret_id, blob) VALUES ($1, $2, $3, $4, $5)', [
      identityId,
      position,
      name,
      secretId,
      blob,
    ]);
  }
}
