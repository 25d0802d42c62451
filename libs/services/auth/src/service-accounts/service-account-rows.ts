import type { accessContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type ServiceAccount = accessContracts.ServiceAccount;

/** A service account, and how many proofs it has had. */
export interface ServiceAccountRow extends ServiceAccount {
  generation: number;
}

type Raw = Omit<ServiceAccountRow, 'secretAt' | 'createdAt'> & { secretAt: string | null; createdAt: string };

const SELECT = `
  SELECT p.id, p.name, p.roles, p.teams, p.status, p.secret_at AS "secretAt", p.created_at AS "createdAt", p.auth_generation AS generation,
         CASE c.metadata->>'token_endpoint_auth_method' WHEN 'client_secret_basic' THEN 'secret' WHEN 'private_key_jwt' THEN 'private_key_jwt' ELSE 'none' END AS auth
    FROM people p LEFT JOIN clients c ON c.id = p.id AND c.kind = 'service-account'
   WHERE p.kind = 'service_account'`;

/** All service accounts, the earliest first. */
export async function allServiceAccounts(db: Transaction): Promise<ServiceAccount[]> {
  return (await db.query<Raw>(`${SELECT} ORDER BY p.created_at, p.id`)).map((row) => asShown(asRow(row)));
}

/** One service account, or undefined; a person is none. */
export async function findServiceAccount(db: Transaction, id: string): Promise<ServiceAccountRow | undefined> {
  const [row] = await db.query<Raw>(`${SELECT} AND p.id = $1`, [id]);
  return row === undefined ? undefined : asRow(row);
}

/** Whether an active service account has this name: records tell them apart by it. */
export async function isNameTaken(tx: Transaction, name: string): Promise<boolean> {
  const rows = await tx.query(`SELECT 1 FROM people WHERE kind = 'service_account' AND status = 'active' AND lower(name) = lower($1)`, [name]);
  return rows.length > 0;
}

/** Adds a service account that has no proof yet. */
export async function insertServiceAccount(tx: Transaction, row: Pick<ServiceAccount, 'id' | 'name' | 'roles' | 'teams' | 'createdAt'>): Promise<void> {
  const { id, name, roles, teams, createdAt } = row;
  await tx.query(
    `INSERT INTO people (id, kind, name, roles, teams, status, created_at) VALUES ($1, 'service_account', $2, $3, $4, 'active', $5)`,
    [id, name, roles, teams, createdAt],
  );
}

/** Notes the next proof; returns its generation. */
export async function nextGeneration(tx: Transaction, id: string, secretAt: number | null): Promise<number> {
  const sql = 'UPDATE people SET auth_generation = auth_generation + 1, secret_at = $2 WHERE id = $1 RETURNING auth_generation AS generation';
  return (await tx.query<{ generation: number }>(sql, [id, secretAt]))[0]!.generation;
}

/** A service account as the admin API shows it. */
export function asShown({ generation: _, ...account }: ServiceAccountRow): ServiceAccount {
  return account;
}

function asRow(row: Raw): ServiceAccountRow {
  return { ...row, createdAt: Number(row.createdAt), secretAt: row.secretAt === null ? null : Number(row.secretAt) };
}
