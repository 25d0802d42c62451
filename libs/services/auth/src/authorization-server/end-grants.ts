import type { Transaction } from '@gatehouse/persistence';

/** Life of an access token of ours, and what clocks may differ; a denied grant is told for so long (ms). */
export const ACCESS_TOKEN_MS = 3_600_000;
const CLOCK_SKEW_MS = 60_000;

/** Which grants are over. */
export type EndedGrants =
  | { callerId: string }
  | { clientId: string }
  | { grantId: string }
  /** SHA-256 of the login session that the grants were given in. */
  | { loginSession: string };

const COLUMN = { callerId: 'account_id', clientId: 'client_id', grantId: 'grant_id', loginSession: 'login_session' } as const;

/**
 * Ends grants for good: their refresh tokens and codes are deleted, and their access tokens, which
 * nobody stores, are denied at the edges until the last of them has expired. Call it inside
 * `DirectoryChanges.apply` and report a change when it returns more than zero.
 */
export async function endGrants(tx: Transaction, which: EndedGrants, nowMs: number): Promise<number> {
  const [[kind, value]] = Object.entries(which) as [[keyof typeof COLUMN, string]];
  const ended = await tx.query<{ id: string }>(
    `WITH RECURSIVE over (id) AS (
       SELECT grant_id FROM artefacts WHERE model = 'Grant' AND ${COLUMN[kind]} = $1
       UNION SELECT a.grant_id FROM artefacts a JOIN over ON a.sources @> ARRAY[over.id])
     INSERT INTO denied (id, until) SELECT DISTINCT id, $2::bigint FROM over
     ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until RETURNING id`,
    [value, nowMs + ACCESS_TOKEN_MS + CLOCK_SKEW_MS],
  );
  await tx.query('DELETE FROM artefacts WHERE grant_id = ANY ($1)', [ended.map(({ id }) => id)]);
  return ended.length;
}

/** Denies one access token (by `jti`) or one grant that has no row of its own, with every grant that came of it. */
export async function deny(tx: Transaction, id: string, nowMs: number): Promise<void> {
  const derived = await tx.query<{ id: string }>('SELECT grant_id AS id FROM artefacts WHERE sources @> ARRAY[$1]', [id]);
  for (const { id: grantId } of derived) await endGrants(tx, { grantId }, nowMs);
  await tx.query('INSERT INTO denied (id, until) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET until = greatest(denied.until, EXCLUDED.until)', [id, nowMs + ACCESS_TOKEN_MS + CLOCK_SKEW_MS]);
}
