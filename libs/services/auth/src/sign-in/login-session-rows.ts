import type { Transaction } from '@gatehouse/persistence';

/** A login session as it is kept. */
export interface LoginSessionRow {
  /** SHA-256 of the id that the browser holds, base64url. */
  idHash: string;
  personId: string;
  /** Name of the identity provider, or `LINK_PROVIDER` for a one-time link. */
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
export interface LoginSession {
  idHash: string;
  personId: string;
  name: string;
  email: string | null;
  provider: string;
  authAt: number;
}

/** What a provider's logout names: one session there, or all of one subject. */
export interface EndedAtProvider {
  provider: string;
  sid: string | undefined;
  subject: string | undefined;
}

/**
 * Rows outlive their sessions: grants given in a session live up to 30 days, and a provider that ends
 * its side of the session must still end them.
 */
const KEPT_MS = 31 * 24 * 3_600_000;

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
export async function findLiveSession(db: Transaction, idHash: string, nowMs: number): Promise<LoginSession | undefined> {
  const [row] = await db.query<Omit<LoginSession, 'authAt'> & { authAt: string }>(
    `SELECT s.id_hash AS "idHash", s.person_id AS "personId", p.name, p.email, s.provider, s.auth_at AS "authAt"
       FROM login_sessions s JOIN people p ON p.id = s.person_id
      WHERE s.id_hash = $1 AND s.expires_at > $2 AND s.ended_at IS NULL AND p.status = 'active' AND p.kind = 'person'`,
    [idHash, nowMs],
  );
  return row === undefined ? undefined : { ...row, authAt: Number(row.authAt) };
}

/** Ends one login session. */
export async function endLoginSession(tx: Transaction, idHash: string, nowMs: number): Promise<void> {
  await tx.query('UPDATE login_sessions SET ended_at = $2 WHERE id_hash = $1 AND ended_at IS NULL', [idHash, nowMs]);
}

/** Ends every login session and unused sign-in link of a person; returns the id hashes of the sessions. */
export async function endLoginSessionsOf(tx: Transaction, personId: string): Promise<string[]> {
  await tx.query('DELETE FROM sign_in_links WHERE person_id = $1', [personId]);
  const ended = await tx.query<{ id: string }>('DELETE FROM login_sessions WHERE person_id = $1 RETURNING id_hash AS id', [personId]);
  return ended.map(({ id }) => id);
}

/**
 * Forgets the sessions that a provider says are over, the long expired ones too, and returns their id
 * hashes. With a session and a subject, sessions that the provider never named count by their subject.
 */
export async function endSessionsAtProvider(tx: Transaction, { provider, sid, subject }: EndedAtProvider): Promise<string[]> {
  const ended = await tx.query<{ id: string }>(
    `DELETE FROM login_sessions WHERE provider = $1 AND CASE
       WHEN $2::text IS NULL THEN subject = $3
       WHEN $3::text IS NULL THEN sid = $2
       ELSE subject = $3 AND (sid = $2 OR sid IS NULL) END
     RETURNING id_hash AS id`,
    [provider, sid ?? null, subject ?? null],
  );
  return ended.map(({ id }) => id);
}

/** Forgets every session of a provider, and returns their id hashes. */
export async function endAllSessionsAt(tx: Transaction, provider: string): Promise<string[]> {
  const ended = await tx.query<{ id: string }>('DELETE FROM login_sessions WHERE provider = $1 RETURNING id_hash AS id', [provider]);
  return ended.map(({ id }) => id);
}

/** Forgets sessions whose grants cannot live any more. */
export async function sweepLoginSessions(db: Transaction, nowMs: number): Promise<void> {
  await db.query('DELETE FROM login_sessions WHERE expires_at < $1', [nowMs - KEPT_MS]);
}
