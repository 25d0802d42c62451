import type { Transaction } from '@gatehouse/persistence';

/** What Gatehouse is to one authorization server. */
export interface UpstreamClient {
  id: string;
  serverId: string;
  /** The only authorization server that it is a client of. */
  issuer: string;
  /** Registered beforehand by people, described by our metadata document, or registered by ourselves (RFC 7591). */
  method: 'static' | 'document' | 'dynamic';
  clientId: string;
  /** As the registration said; null where settings decide. */
  authMethod: string | null;
  secretId: string | null;
  secretExpiresAt: number | null;
  redirectUri: string;
  /** The scopes that it was registered with. */
  scopes: string[];
  createdAt: number;
  /** When it last got tokens for somebody. */
  provenAt: number | null;
  /** When the authorization server did not take it. */
  refusedAt: number | null;
}

interface Row extends Omit<UpstreamClient, 'secretExpiresAt' | 'createdAt' | 'provenAt' | 'refusedAt'> {
  secretExpiresAt: string | null;
  createdAt: string;
  provenAt: string | null;
  refusedAt: string | null;
}

const COLUMNS = `id, server_id AS "serverId", issuer, method, client_id AS "clientId", auth_method AS "authMethod", secret_id AS "secretId",
  secret_expires_at AS "secretExpiresAt", redirect_uri AS "redirectUri", scopes, created_at AS "createdAt", proven_at AS "provenAt", refused_at AS "refusedAt"`;

/** One client. */
export async function findClient(db: Transaction, id: string): Promise<UpstreamClient | undefined> {
  return (await db.query<Row>(`SELECT ${COLUMNS} FROM upstream_clients WHERE id = $1`, [id])).map(asClient)[0];
}

/** The clients at one authorization server of one server, the newest first. */
export async function clientsAt(db: Transaction, serverId: string, issuer: string): Promise<UpstreamClient[]> {
  const rows = await db.query<Row>(`SELECT ${COLUMNS} FROM upstream_clients WHERE server_id = $1 AND issuer = $2 ORDER BY created_at DESC, id DESC`, [serverId, issuer]);
  return rows.map(asClient);
}

/** Adds a client; one with a fixed id that is there already is returned as it is. */
export async function insertClient(db: Transaction, client: UpstreamClient): Promise<UpstreamClient> {
  const { id, serverId, issuer, method, clientId, authMethod, secretId, secretExpiresAt, redirectUri, scopes, createdAt } = client;
  const made = await db.query(
    `INSERT INTO upstream_clients (id, server_id, issuer, method, client_id, auth_method, secret_id, secret_expires_at, redirect_uri, scopes, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id`,
    [id, serverId, issuer, method, clientId, authMethod, secretId, secretExpiresAt, redirectUri, scopes, createdAt],
  );
  if (made.length > 0) return client;
  return (await clientsAt(db, serverId, issuer)).find((one) => one.clientId === clientId && one.method === method)!;
}

/** It got tokens: whatever was thought of it, it works. */
export async function proveClient(db: Transaction, id: string, nowMs: number): Promise<void> {
  await db.query('UPDATE upstream_clients SET proven_at = $2, refused_at = NULL WHERE id = $1', [id, nowMs]);
}

/** The authorization server did not take it. */
export async function refuseClient(db: Transaction, id: string, nowMs: number): Promise<void> {
  await db.query('UPDATE upstream_clients SET refused_at = $2 WHERE id = $1', [id, nowMs]);
}

/** What was refused at a server may be tried again. */
export async function forgiveClients(db: Transaction, serverId: string): Promise<void> {
  await db.query('UPDATE upstream_clients SET refused_at = NULL WHERE server_id = $1', [serverId]);
}

/** Forgets all clients of a server. */
export async function deleteClients(tx: Transaction, serverId: string): Promise<void> {
  await tx.query('DELETE FROM upstream_clients WHERE server_id = $1', [serverId]);
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text));

function asClient(row: Row): UpstreamClient {
  return { ...row, secretExpiresAt: numberOf(row.secretExpiresAt), createdAt: Number(row.createdAt), provenAt: numberOf(row.provenAt), refusedAt: numberOf(row.refusedAt) };
}
