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

/** A credential's row; a destroyed one stays so that its version goes on counting. */
export interface CredentialRow extends CredentialBinding {
  version: number;
  destroyed: boolean;
}

/** One sealed field of the newest version. */
export interface FieldRow {
  name: string;
  secretId: string;
  blob: Buffer;
}

const COLUMNS = 'identity_id AS "identityId", server_id AS "serverId", origin, owner, version, destroyed';

/** The row, or undefined. With `lock` the transaction holds it until its end. */
export async function credentialRow(tx: Transaction, identityId: string, lock = false): Promise<CredentialRow | undefined> {
  const sql = `SELECT ${COLUMNS} FROM credentials WHERE identity_id = $1${lock ? ' FOR UPDATE' : ''}`;
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
    `SELECT c.identity_id AS "identityId", c.server_id AS "serverId", c.origin, c.owner, c.version, c.destroyed,
            f.name, f.secret_id AS "secretId", f.blob
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
  await tx.query('UPDATE credentials SET origin = $2, version = $3, destroyed = $4, changed_at = $5 WHERE identity_id = $1', [
    next.identityId,
    next.origin,
    next.version,
    next.destroyed,
    nowMs,
  ]);
  for (const [position, { name, secretId, blob }] of fields.entries()) {
    await tx.query('INSERT INTO credential_fields (identity_id, position, name, secret_id, blob) VALUES ($1, $2, $3, $4, $5)', [
      next.identityId,
      position,
      name,
      secretId,
      blob,
    ]);
  }
}
