import type { vaultContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

/** A link by which one person connects one account. */
export interface Connection {
  id: string;
  personId: string;
  serverId: string;
  /** Whose the account will be. */
  owner: vaultContracts.CredentialOwner;
  /** What it will be called; null lets it be chosen. */
  name: string | null;
  /** The identity that is connected anew. */
  identityId: string | null;
  cause: 'asked' | 'call';
  state: 'waiting' | 'connected' | 'failed';
  problem: string | null;
  madeIdentityId: string | null;
  expiresAt: number;
}

/** A sign-in at an authorization server under way, for a connection. */
export interface Attempt {
  clientRef: string;
  redirectUri: string;
  stateHash: string;
  /** The login session of the browser that was sent. */
  sessionHash: string;
  /** PKCE (RFC 7636): what the code is bound to. */
  verifier: string;
  scopes: string[];
}

type Row = Omit<Connection, 'expiresAt'> & { expiresAt: string };

const COLUMNS = `id, person_id AS "personId", server_id AS "serverId", owner, name, identity_id AS "identityId", cause, state, problem,
  made_identity_id AS "madeIdentityId", expires_at AS "expiresAt"`;
/** How long a link that is over is still known, so that who waits for it learns how it went. */
const KEPT_MS = 24 * 3_600_000;

/** Adds a link. */
export async function insertConnection(db: Transaction, connection: Connection & { ticketHash: string }, nowMs: number): Promise<void> {
  const { id, ticketHash, personId, serverId, owner, name, identityId, cause, expiresAt } = connection;
  await db.query('DELETE FROM upstream_connections WHERE expires_at <= $1', [nowMs - KEPT_MS]);
  await db.query(
    `INSERT INTO upstream_connections (id, ticket_hash, person_id, server_id, owner, name, identity_id, cause, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, ticketHash, personId, serverId, owner, name, identityId, cause, nowMs, expiresAt],
  );
}

/** A link by its id. */
export async function findConnection(db: Transaction, id: string): Promise<Connection | undefined> {
  return (await db.query<Row>(`SELECT ${COLUMNS} FROM upstream_connections WHERE id = $1`, [id])).map(asConnection)[0];
}

/** A link by the digest of its ticket. */
export async function connectionOfTicket(db: Transaction, ticketHash: string): Promise<Connection | undefined> {
  return (await db.query<Row>(`SELECT ${COLUMNS} FROM upstream_connections WHERE ticket_hash = $1`, [ticketHash])).map(asConnection)[0];
}

/** A link that was made for the same, by a call, and is good for a while yet. */
export async function goodConnection(db: Transaction, { personId, serverId, owner, identityId }: Pick<Connection, 'personId' | 'serverId' | 'owner' | 'identityId'>, beyondMs: number): Promise<Connection | undefined> {
  const rows = await db.query<Row>(
    `SELECT ${COLUMNS} FROM upstream_connections
      WHERE person_id = $1 AND server_id = $2 AND owner = $3 AND identity_id IS NOT DISTINCT FROM $4 AND cause = 'call' AND state = 'waiting' AND expires_at > $5
      ORDER BY created_at DESC LIMIT 1`,
    [personId, serverId, owner, identityId, beyondMs],
  );
  return rows.map(asConnection)[0];
}

/** Notes that a browser is sent off; of several times the last one counts. False when the link is over. */
export async function beginAttempt(db: Transaction, id: string, attempt: Attempt, nowMs: number): Promise<boolean> {
  const { clientRef, redirectUri, stateHash, sessionHash, verifier, scopes } = attempt;
  const rows = await db.query(
    `UPDATE upstream_connections
        SET client_ref = $2, redirect_uri = $3, state_hash = $4, session_hash = $5, verifier = $6, asked_scopes = $7, redirected_at = $8, answered_at = NULL
      WHERE id = $1 AND state = 'waiting' AND expires_at > $8 RETURNING id`,
    [id, clientRef, redirectUri, stateHash, sessionHash, verifier, scopes, nowMs],
  );
  return rows.length > 0;
}

/** An attempt that was answered, and what it was for. */
export type TakenAttempt = Connection & Pick<Attempt, 'clientRef' | 'verifier' | 'scopes'>;

/** What an answer must fit to be taken. */
export interface Answered {
  stateHash: string;
  sessionHash: string;
  redirectUri: string;
}

/**
 * Takes the attempt that an answer belongs to, once. The browser's login session, the person and the
 * very callback address must be those it was sent with; whoever else brings the answer spoils nothing.
 */
export async function takeAttempt(db: Transaction, { stateHash, sessionHash, redirectUri }: Answered, nowMs: number): Promise<TakenAttempt | undefined> {
  const [row] = await db.query<Row & Pick<Attempt, 'clientRef' | 'verifier' | 'scopes'>>(
    `UPDATE upstream_connections SET state_hash = NULL, answered_at = $4
      WHERE state_hash = $1 AND session_hash = $2 AND redirect_uri = $3 AND state = 'waiting' AND expires_at > $4
      RETURNING ${COLUMNS}, client_ref AS "clientRef", verifier, asked_scopes AS scopes`,
    [stateHash, sessionHash, redirectUri, nowMs],
  );
  if (row === undefined) return undefined;
  const { clientRef, verifier, scopes } = row;
  return { ...asConnection(row), clientRef, verifier, scopes };
}

/** How a connection went. Nothing of a sign-in under way is kept with it. */
export async function endConnection(db: Transaction, id: string, end: { state: 'connected'; identityId: string } | { state: 'failed'; problem: string }): Promise<void> {
  const [identityId, problem] = end.state === 'connected' ? [end.identityId, null] : [null, end.problem.slice(0, 500)];
  await db.query(
    `UPDATE upstream_connections SET state = $2, made_identity_id = $3, problem = $4, state_hash = NULL, verifier = NULL WHERE id = $1`,
    [id, end.state, identityId, problem],
  );
}

/** Whether somebody was sent off with this client and never came back: some answer our document with a page of their own. */
export async function wasUnanswered(db: Transaction, clientRef: string): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM upstream_connections WHERE client_ref = $1 AND redirected_at IS NOT NULL AND answered_at IS NULL LIMIT 1', [clientRef]);
  return rows.length > 0;
}

function asConnection({ id, personId, serverId, owner, name, identityId, cause, state, problem, madeIdentityId, expiresAt }: Row): Connection {
  return { id, personId, serverId, owner, name, identityId, cause, state, problem, madeIdentityId, expiresAt: Number(expiresAt) };
}
