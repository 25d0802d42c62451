import type { Transaction } from '@gatehouse/persistence';

/** The tokens of one sign-in as they are kept: where they stand in the vault, and whose they are. */
export interface KeptSignIn {
  /** Of the login session they came with. */
  sessionHash: string;
  personId: string;
  provider: string;
  /** The provider and our client there as they were: a provider that is set to another has no claim to them. */
  issuer: string;
  clientId: string;
  tokensRef: string;
  /** Where renewed tokens will stand, named before they are asked for. */
  pendingRef: string | null;
  staleRefs: string[];
}

/** One that is usable, with who the person is at the provider. */
export interface UsableSignIn extends KeptSignIn {
  subject: string;
}

const COLUMNS = `k.session_hash AS "sessionHash", k.person_id AS "personId", k.provider, k.issuer, k.client_id AS "clientId",
  k.tokens_ref AS "tokensRef", k.pending_ref AS "pendingRef", k.stale_refs AS "staleRefs"`;

/** Adds one whose tokens are not stored yet. */
export async function insertKept(tx: Transaction, { sessionHash, personId, provider, issuer, clientId, tokensRef }: Omit<KeptSignIn, 'pendingRef' | 'staleRefs'>, nowMs: number): Promise<void> {
  const sql = 'INSERT INTO kept_sign_ins (session_hash, person_id, provider, issuer, client_id, tokens_ref, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)';
  await tx.query(sql, [sessionHash, personId, provider, issuer, clientId, tokensRef, nowMs]);
}

/** Its tokens are in the vault now; false when the row is gone, and nothing leads to them. */
export async function markStored(db: Transaction, sessionHash: string): Promise<boolean> {
  return (await db.query('UPDATE kept_sign_ins SET stored = true WHERE session_hash = $1 RETURNING session_hash', [sessionHash])).length === 1;
}

/** Whether it was not forgotten yet. */
export async function isKept(db: Transaction, sessionHash: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM kept_sign_ins WHERE session_hash = $1', [sessionHash])).length === 1;
}

/** It is worth nothing any more; the next sweep destroys it. */
export async function markEnded(db: Transaction, sessionHash: string): Promise<void> {
  await db.query('UPDATE kept_sign_ins SET ended = true WHERE session_hash = $1', [sessionHash]);
}

/** Those of a person whose session was not ended, here or at the provider, the newest first; nobody's once disabled. */
export function usableSignIns(db: Transaction, personId: string): Promise<UsableSignIn[]> {
  return db.query(
    `SELECT ${COLUMNS}, s.subject FROM kept_sign_ins k
       JOIN login_sessions s ON s.id_hash = k.session_hash AND s.person_id = k.person_id AND s.ended_at IS NULL
       JOIN people p ON p.id = k.person_id AND p.status = 'active'
      WHERE k.person_id = $1 AND k.stored AND NOT k.ended ORDER BY k.created_at DESC, k.session_hash`,
    [personId],
  );
}

/** A provider whose tokens are kept, as it is set now. */
export type KeepingProvider = Pick<KeptSignIn, 'provider' | 'issuer' | 'clientId'>;

/** Some of those that nothing may be made of any more: signed out, disabled, given up by the provider, or never stored since `unstoredSince`. */
export function overSignIns(db: Transaction, keeping: readonly KeepingProvider[], unstoredSince: number): Promise<KeptSignIn[]> {
  const names = [keeping.map(({ provider }) => provider), keeping.map(({ issuer }) => issuer), keeping.map(({ clientId }) => clientId)];
  return db.query(
    `SELECT ${COLUMNS} FROM kept_sign_ins k LEFT JOIN login_sessions s ON s.id_hash = k.session_hash LEFT JOIN people p ON p.id = k.person_id
      WHERE s.id_hash IS NULL OR s.ended_at IS NOT NULL OR p.status IS DISTINCT FROM 'active' OR k.ended OR (NOT k.stored AND k.created_at < $1)
         OR NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::text[], $4::text[]) AS now (provider, issuer, client_id)
                         WHERE (now.provider, now.issuer, now.client_id) = (k.provider, k.issuer, k.client_id))
      LIMIT 50`,
    [unstoredSince, ...names],
  );
}

/** Forgets one. */
export async function deleteKept(db: Transaction, sessionHash: string): Promise<void> {
  await db.query('DELETE FROM kept_sign_ins WHERE session_hash = $1', [sessionHash]);
}

/** Takes the right to renew one for `leaseMs`; the row as it is then, or undefined while another has it. */
export async function takeKept(db: Transaction, { sessionHash, holder, promised, leaseMs }: { sessionHash: string; holder: string; promised: string; leaseMs: number }): Promise<KeptSignIn | undefined> {
  const [before] = await db.query<KeptSignIn>(
    `UPDATE kept_sign_ins k SET lease_owner = $2, lease_until = clock_timestamp() + $4 * interval '1 millisecond',
            pending_ref = $3, stale_refs = CASE WHEN old.pending_ref IS NULL THEN k.stale_refs ELSE array_append(k.stale_refs, old.pending_ref) END
       FROM (SELECT session_hash, pending_ref FROM kept_sign_ins WHERE session_hash = $1 FOR UPDATE) old
      WHERE k.session_hash = old.session_hash AND (k.lease_until IS NULL OR k.lease_until < clock_timestamp()) AND k.stored AND NOT k.ended
      RETURNING k.session_hash AS "sessionHash", k.person_id AS "personId", k.provider, k.issuer, k.client_id AS "clientId",
        k.tokens_ref AS "tokensRef", old.pending_ref AS "pendingRef", k.stale_refs AS "staleRefs"`,
    [sessionHash, holder, promised, leaseMs],
  );
  return before;
}

/** Where its tokens stand from now on, and that nobody renews them; false, and nothing happens, for who is not the holder any more. */
export async function settleKept(db: Transaction, { sessionHash, holder, tokensRef, staleRefs }: { sessionHash: string; holder: string; tokensRef: string; staleRefs: readonly string[] }): Promise<boolean> {
  const sql = `UPDATE kept_sign_ins SET tokens_ref = $3, stale_refs = $4, pending_ref = NULL, lease_owner = NULL, lease_until = NULL WHERE session_hash = $1 AND lease_owner = $2 RETURNING session_hash`;
  return (await db.query(sql, [sessionHash, holder, tokensRef, [...staleRefs]])).length === 1;
}

/** Every secret a row leads to. */
export function refsOf({ tokensRef, pendingRef, staleRefs }: KeptSignIn): string[] {
  return [...new Set([tokensRef, pendingRef, ...staleRefs].filter((ref) => ref !== null))];
}

/** These secrets are destroyed. */
export async function dropStale(db: Transaction, sessionHash: string, refs: readonly string[]): Promise<void> {
  const sql = `UPDATE kept_sign_ins SET stale_refs = (SELECT coalesce(array_agg(ref), '{}') FROM unnest(stale_refs) AS ref WHERE ref <> ALL ($2::text[])) WHERE session_hash = $1`;
  await db.query(sql, [sessionHash, [...refs]]);
}
