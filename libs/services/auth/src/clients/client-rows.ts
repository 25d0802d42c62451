import type { clientContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type OauthClient = clientContracts.OauthClient;

/** Metadata (RFC 7591) as it is kept. */
export interface KeptMetadata {
  redirect_uris?: string[];
  grant_types?: string[];
  token_endpoint_auth_method?: string;
  dpop_bound_access_tokens?: boolean;
  [member: string]: unknown;
}

interface Row extends Pick<OauthClient, 'id' | 'kind' | 'name' | 'host' | 'status' | 'requireDpop'> {
  metadata: KeptMetadata;
  createdAt: string;
  lastUsedAt: string | null;
  grants: number;
}

// Service accounts are clients too, and shown with the callers.
const SELECT = `
  SELECT c.id, c.kind, c.name, c.host, c.status, c.require_dpop AS "requireDpop", c.metadata, c.created_at AS "createdAt", c.used_at AS "lastUsedAt",
         (SELECT count(*)::int FROM artefacts a WHERE a.model = 'Grant' AND a.client_id = c.id AND a.expires_at > $1) AS grants
    FROM clients c WHERE c.kind <> 'service-account'`;

/** All clients, the earliest first. */
export async function allClients(db: Transaction, nowMs: number): Promise<OauthClient[]> {
  return (await db.query<Row>(`${SELECT} ORDER BY c.created_at, c.id`, [nowMs])).map(asClient);
}

/** One client, or undefined. */
export async function findClient(db: Transaction, id: string, nowMs: number): Promise<OauthClient | undefined> {
  const [row] = await db.query<Row>(`${SELECT} AND c.id = $2`, [nowMs, id]);
  return row === undefined ? undefined : asClient(row);
}

/** Adds a client that an administrator registered. */
export async function insertRegistered(tx: Transaction, { id, name, host, createdAt }: Pick<OauthClient, 'id' | 'name' | 'host' | 'createdAt'>, metadata: KeptMetadata): Promise<void> {
  await tx.query(
    `INSERT INTO clients (id, kind, name, host, status, require_dpop, metadata, created_at) VALUES ($1, 'registered', $2, $3, 'allowed', $4, $5, $6)`,
    [id, name, host, metadata.dpop_bound_access_tokens === true, metadata, createdAt],
  );
}

/** Marks a client as let in or kept out. */
export async function markDecision(tx: Transaction, id: string, status: 'allowed' | 'denied'): Promise<void> {
  await tx.query('UPDATE clients SET status = $2 WHERE id = $1', [id, status]);
}

/** Removes a client. */
export async function deleteClientRow(tx: Transaction, id: string): Promise<void> {
  await tx.query('DELETE FROM clients WHERE id = $1', [id]);
}

function asClient({ metadata, ...row }: Row): OauthClient {
  return {
    ...row,
    redirectUris: metadata.redirect_uris ?? [],
    authMethod: metadata.token_endpoint_auth_method ?? 'none',
    grantTypes: metadata.grant_types ?? [],
    requireDpop: row.requireDpop || metadata.dpop_bound_access_tokens === true,
    createdAt: Number(row.createdAt),
    lastUsedAt: row.lastUsedAt === null ? null : Number(row.lastUsedAt),
  };
}
