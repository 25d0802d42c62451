import type { policyContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Policy = policyContracts.Policy;

interface PolicyRow {
  name: string;
  version: number;
  text: string;
  updated_at: string;
  updated_by: string | null;
}

const policyOf = ({ name, version, text, updated_at: at, updated_by: updatedBy }: PolicyRow): Policy => ({ name, version, text, updatedAt: Number(at), updatedBy });

/** All policies in force, by name. */
export async function readPolicies(db: Transaction): Promise<Policy[]> {
  return (await db.query<PolicyRow>('SELECT name, version, text, updated_at, updated_by FROM policies ORDER BY name COLLATE "C"')).map(policyOf);
}

/** One policy in force. */
export async function readPolicy(db: Transaction, name: string): Promise<Policy | undefined> {
  const rows = await db.query<PolicyRow>('SELECT name, version, text, updated_at, updated_by FROM policies WHERE name = $1', [name]);
  return rows.map(policyOf)[0];
}

/** Who writes which text when; a null text takes the policy out of force. */
export interface PolicyWriting {
  name: string;
  text: string | null;
  by: string;
  at: number;
}

/** Writes the next version of a policy. Numbers are never used twice, also not after a deletion. */
export async function writePolicy(tx: Transaction, { name, text, by, at }: PolicyWriting): Promise<void> {
  const [row] = await tx.query<{ version: number }>('SELECT coalesce(max(version), 0) + 1 AS version FROM policy_versions WHERE name = $1', [name]);
  const version = row!.version;
  await tx.query('INSERT INTO policy_versions (name, version, text, written_at, written_by) VALUES ($1, $2, $3, $4, $5)', [name, version, text, at, by]);
  await tx.query('DELETE FROM policies WHERE name = $1', [name]);
  if (text === null) return;
  await tx.query('INSERT INTO policies (name, version, text, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)', [name, version, text, at, by]);
}
