import type { directoryContracts, signInContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Wire = signInContracts.TokenIssuer;
type Entry = directoryContracts.Directory['issuers'][number];

/** What an administrator says of an issuer. */
export type IssuerSettings = Omit<Wire, 'name' | 'keys' | 'keysFetchedAt' | 'createdAt'>;

/** A trusted issuer as it is kept; times in ms. */
export interface IssuerRow {
  name: string;
  settings: IssuerSettings;
  keys: Entry['keys'];
  keysFetchedAt: number;
  createdAt: number;
}

type Stored = Omit<IssuerRow, 'keysFetchedAt' | 'createdAt'> & { keysFetchedAt: string; createdAt: string };

const COLUMNS = 'name, settings, keys, keys_fetched_at AS "keysFetchedAt", created_at AS "createdAt"';
const asRow = (row: Stored): IssuerRow => ({ ...row, keysFetchedAt: Number(row.keysFetchedAt), createdAt: Number(row.createdAt) });

/** All trusted issuers, by name. */
export async function allIssuers(db: Transaction): Promise<IssuerRow[]> {
  return (await db.query<Stored>(`SELECT ${COLUMNS} FROM token_issuers ORDER BY name`)).map(asRow);
}

/** One trusted issuer. */
export async function findIssuer(db: Transaction, name: string): Promise<IssuerRow | undefined> {
  const [row] = await db.query<Stored>(`SELECT ${COLUMNS} FROM token_issuers WHERE name = $1`, [name]);
  return row === undefined ? undefined : asRow(row);
}

/** Adds or replaces an issuer; another name for an issuer that is trusted already is a `conflict`. */
export async function saveIssuer(tx: Transaction, { name, settings, keys, keysFetchedAt, createdAt }: IssuerRow): Promise<void> {
  await tx.query(
    `INSERT INTO token_issuers (name, issuer, settings, keys, keys_fetched_at, keys_tried_at, created_at) VALUES ($1, $2, $3, $4, $5, $5, $6)
     ON CONFLICT (name) DO UPDATE SET issuer = EXCLUDED.issuer, settings = EXCLUDED.settings, keys = EXCLUDED.keys,
       keys_fetched_at = EXCLUDED.keys_fetched_at, keys_tried_at = EXCLUDED.keys_tried_at`,
    [name, settings.issuer, settings, JSON.stringify(keys), keysFetchedAt, createdAt],
  );
}

/** Writes the keys an issuer has now; true when they are others than before. */
export async function replaceIssuerKeys(tx: Transaction, name: string, keys: Entry['keys'], nowMs: number): Promise<boolean> {
  const changed = await tx.query('UPDATE token_issuers SET keys = $2 WHERE name = $1 AND keys <> $2::jsonb RETURNING name', [name, JSON.stringify(keys)]);
  await tx.query('UPDATE token_issuers SET keys_fetched_at = $2 WHERE name = $1', [name, nowMs]);
  return changed.length > 0;
}

/** Takes the turn to ask an issuer for its keys; false when somebody took it within `everyMs`, on whatever replica. */
export async function takeTurn(db: Transaction, name: string, nowMs: number, everyMs: number): Promise<boolean> {
  const taken = await db.query('UPDATE token_issuers SET keys_tried_at = $2 WHERE name = $1 AND keys_tried_at <= $3 RETURNING name', [name, nowMs, nowMs - everyMs]);
  return taken.length > 0;
}

/** Stops trusting an issuer; true when it was trusted. */
export async function deleteIssuer(tx: Transaction, name: string): Promise<boolean> {
  return (await tx.query('DELETE FROM token_issuers WHERE name = $1 RETURNING name', [name])).length > 0;
}

/** The issuers as the directory tells them, each with the subjects that are linked to active callers. */
export async function issuersOfDirectory(tx: Transaction): Promise<Entry[]> {
  const issuers = await allIssuers(tx);
  const logins = await tx.query<{ issuer: string; subject: string; callerId: string }>(
    `SELECT l.issuer, l.subject, l.person_id AS "callerId" FROM logins l
       JOIN people p ON p.id = l.person_id JOIN token_issuers t ON t.issuer = l.issuer
      WHERE p.status = 'active' ORDER BY l.issuer, l.subject`,
  );
  return issuers.map(({ name, settings: { issuer, audience, claims, provisioning }, keys }) => {
    const own = logins.filter((login) => login.issuer === issuer).map(({ subject, callerId }) => ({ subject, callerId }));
    return { name, issuer, audience, claims, provisioning, keys, logins: own };
  });
}
