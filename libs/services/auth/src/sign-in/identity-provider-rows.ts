import type { signInContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Wire = signInContracts.IdentityProvider;

/** What an administrator sets of a provider. */
export type ProviderSettings = Omit<Wire, 'name' | 'hasSecret' | 'managedBy' | 'createdAt'>;

/** A provider as it is kept. */
export interface ProviderRow {
  name: string;
  settings: ProviderSettings;
  /** Id of its client secret in the vault; null for a public client. */
  secretId: string | null;
  createdAt: number;
}

type Stored = Omit<ProviderRow, 'createdAt'> & { createdAt: string };

const COLUMNS = 'name, settings, secret_id AS "secretId", created_at AS "createdAt"';

/** The providers in the database, by name. */
export async function allProviders(db: Transaction): Promise<ProviderRow[]> {
  return (await db.query<Stored>(`SELECT ${COLUMNS} FROM identity_providers ORDER BY name`)).map(asRow);
}

/** One provider, or undefined. */
export async function findProvider(db: Transaction, name: string): Promise<ProviderRow | undefined> {
  const [row] = await db.query<Stored>(`SELECT ${COLUMNS} FROM identity_providers WHERE name = $1`, [name]);
  return row === undefined ? undefined : asRow(row);
}

/** Adds or replaces a provider. */
export async function saveProvider(tx: Transaction, { name, settings, secretId, createdAt }: ProviderRow): Promise<void> {
  await tx.query(
    `INSERT INTO identity_providers (name, settings, secret_id, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET settings = EXCLUDED.settings, secret_id = EXCLUDED.secret_id`,
    [name, JSON.stringify(settings), secretId, createdAt],
  );
}

/** Removes a provider. */
export async function deleteProvider(tx: Transaction, name: string): Promise<void> {
  await tx.query('DELETE FROM identity_providers WHERE name = $1', [name]);
}

/** The teams that groups of this provider lead into. */
export async function teamsMappedTo(tx: Transaction, provider: string): Promise<string[]> {
  const rows = await tx.query<{ team: string }>('SELECT DISTINCT team FROM team_groups WHERE provider = $1', [provider]);
  return rows.map(({ team }) => team);
}

function asRow(row: Stored): ProviderRow {
  return { ...row, createdAt: Number(row.createdAt) };
}
