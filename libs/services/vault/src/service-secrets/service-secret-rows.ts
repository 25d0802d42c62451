import type { ServiceName } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

/** Names one secret; the owning service is part of it, so that no service finds another one's. */
export interface ServiceSecretName {
  owner: ServiceName;
  secretId: string;
}

/** A secret's row; a destroyed one stays, without a blob, so that its version goes on counting. */
export interface ServiceSecretRow extends ServiceSecretName {
  purpose: string;
  version: number;
  blob: Buffer | null;
}

/** The row, or undefined. With `lock` the transaction holds it until its end. */
export async function serviceSecretRow(tx: Transaction, { owner, secretId }: ServiceSecretName, lock = false): Promise<ServiceSecretRow | undefined> {
  const [row] = await tx.query<ServiceSecretRow>(
    `SELECT owner, secret_id AS "secretId", purpose, version, blob FROM service_secrets
      WHERE owner = $1 AND secret_id = $2${lock ? ' FOR UPDATE' : ''}`,
    [owner, secretId],
  );
  return row;
}

/** The row, locked; made with version 0 and nothing in it when there is none. */
export async function lockOrAddServiceSecret(tx: Transaction, name: ServiceSecretName, purpose: string, nowMs: number): Promise<ServiceSecretRow> {
  await tx.query(
    `INSERT INTO service_secrets (owner, secret_id, purpose, version, changed_at)
     VALUES ($1, $2, $3, 0, $4) ON CONFLICT (owner, secret_id) DO NOTHING`,
    [name.owner, name.secretId, purpose, nowMs],
  );
  return (await serviceSecretRow(tx, name, true))!;
}

/** Puts the row's version and blob in place of those before: an old blob is gone, not kept aside. */
export async function replaceServiceSecret(tx: Transaction, { owner, secretId, version, blob }: ServiceSecretRow, nowMs: number): Promise<void> {
  await tx.query('UPDATE service_secrets SET version = $3, blob = $4, changed_at = $5 WHERE owner = $1 AND secret_id = $2', [
    owner,
    secretId,
    version,
    blob,
    nowMs,
  ]);
}
