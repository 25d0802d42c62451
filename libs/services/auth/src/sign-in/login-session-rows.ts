import type { Transaction } from '@gatehouse/persistence';

/** A login session as it is kept. */
export interface LoginSessionRow {
  /** SHA-256 of the id that the browser holds, base64url. */
  idHash: string;
  personId: string;
  /** Name of the identity provider, or `link` for a one-time link. */
  provider: string;
  /** Who the person is at the provider. */
  subject: string;
  /** The provider's own session, for its back-channel logout. */
  sid: string | null;
  /** When the person proved who they are, at the provider (ms). */
  authAt: number;
  createdAt: number;
  expiresAt: number;
}

/** A login session with what its person is called. */
export interface LiveSessionRow {
  idHash: string;
  personId: string;
  name: string;
  email: string | null;
  provider: string;
  authAt: number;
}

/** Adds a login session. */
export async function insertLoginSession(tx: Transaction, row: LoginSessionRow): Promise<void> {
  const { idHash, personId, provider, subject, sid, authAt, createdAt, expiresAt } = row;
  await tx.query(
    `INSERT INTO login_sessions (id_hash, person_id, provider, subject, sid, auth_at, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [idHash, personId, provider, subject, sid, authAt, createdAt, expiresAt],
  );
}

/** The session of this id hash, while it lives and its person is active. */
export async function findLiveSession(db: Transaction, idHash: string, nowMs: number): Promise<LiveSessionRow | undefined> {
  const [row] = await db.query<Omit<LiveSessionRow, 'authAt'> & { authAt: string }>(
    `SELECT s.id_hash AS "idHash", s.person_id AS "personId", p.name, p.email, s.provider, s.auth_at AS "authAt"
       FROM login_sessions s JOIN people p ON p.id = s.person_id
      WHERE s.id_hash = $1 AND s.expires_at > $2 AND p.status = 'active'`,
    [idHash, nowMs],
  );
  return row === undefined ? undefined : { ...row, authAt: Number(row.authAt) };
}

/** Ends one login session. */
export async function endLoginSession(tx: Transaction, idHash: string): Promise<void> {
  await tx.query('DELETE FROM login_sessions WHERE id_hash = $1', [idHash]);
}

/** Ends every login session and unused sign-in link of a person; returns the id hashes of the sessions. */
export async function endLoginSessionsOf(tx: Transaction, personId: string): Promise<string[]> {
  await tx.query('DELETE FROM sign_in_links WHERE person_id = $1', [personId]);
  const ended = await tx.query<{ id: string }>('DELETE FROM login_sessions WHERE person_id = $1 RETURNING id_hash AS id', [personId]);
  return ended.map(({ id }) => id);
}

/** Ends the sessions that a provider speaks of: one session of it (`sid`) or all of one subject. */
export async function endSessionsAtProvider(
  tx: Transaction,
  provider: string,
  { sid, subject }: { sid: string | undefined; subject: string | undefined },
): Promise<{ idHash: string; personId: string }[]> {
  return tx.query<{ idHash: string; personId: string }>(
    `DELETE FROM login_sessions
      WHERE provider = $1 AND ($2::text IS NULL OR sid = $2) AND ($3::text IS NULL OR subject = $3)
        AND ($2::text IS NOT NULL OR $3::text IS NOT NULL)
      RETURNING id_hash AS "idHash", person_id AS "personId"`,
    [provider, sid ?? null, subject ?? null],
  );
}

/** Forgets what has expired; at most a thousand rows, so that it never takes long. */
export async function sweepLoginSessions(db: Transaction, nowMs: number): Promise<void> {
  await db.query('DELETE FROM login_sessions WHERE id_hash IN (SELECT id_hash FROM login_sessions WHERE expires_at <= $1 LIMIT 1000)', [nowMs]);
}
