import type { authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type TokenSummary = authContracts.TokenSummary;

type TokenRow = Omit<TokenSummary, 'createdAt' | 'expiresAt' | 'revokedAt'> & {
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
};

const COLUMNS = `id, person_id AS "callerId", name, scopes,
  created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt"`;

/** Tokens of one person or (null) of all, the earliest first, the dead ones too. */
export async function tokensOf(db: Transaction, callerId: string | null): Promise<TokenSummary[]> {
  const sql = `SELECT ${COLUMNS} FROM tokens WHERE $1::text IS NULL OR person_id = $1 ORDER BY created_at, id`;
  return (await db.query<TokenRow>(sql, [callerId])).map(asToken);
}

/** One token, or undefined; with `ownedBy` only if it is that person's. */
export async function findToken(db: Transaction, id: string, ownedBy: string | null): Promise<TokenSummary | undefined> {
  const sql = `SELECT ${COLUMNS} FROM tokens WHERE id = $1 AND ($2::text IS NULL OR person_id = $2)`;
  const [row] = await db.query<TokenRow>(sql, [id, ownedBy]);
  return row === undefined ? undefined : asToken(row);
}

/** Adds a token by its digest. */
export async function insertToken(tx: Transaction, token: TokenSummary, digest: string): Promise<void> {
  const { id, callerId, name, scopes, createdAt, expiresAt, revokedAt } = token;
  await tx.query(
    `INSERT INTO tokens (id, person_id, name, scopes, digest, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, callerId, name, scopes, digest, createdAt, expiresAt, revokedAt],
  );
}

/** Marks a token as revoked. */
export async function markRevoked(tx: Transaction, id: string, nowMs: number): Promise<void> {
  await tx.query('UPDATE tokens SET revoked_at = $2 WHERE id = $1', [id, nowMs]);
}

/** Revokes every token of a person that is not revoked yet. */
export async function revokeAllOf(tx: Transaction, callerId: string, nowMs: number): Promise<void> {
  await tx.query('UPDATE tokens SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL', [callerId, nowMs]);
}

/** Whether any token was ever made: the first start is over. */
export async function hasTokens(db: Transaction): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>('SELECT EXISTS (SELECT 1 FROM tokens) AS found');
  return row?.found === true;
}

function asToken(row: TokenRow): TokenSummary {
  const { createdAt, expiresAt, revokedAt } = row;
  return {
    ...row,
    createdAt: Number(createdAt),
    expiresAt: expiresAt === null ? null : Number(expiresAt),
    revokedAt: revokedAt === null ? null : Number(revokedAt),
  };
}
