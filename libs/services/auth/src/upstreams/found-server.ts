import { createHash } from 'node:crypto';
import type { upstreamContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import type { ServerMetadata } from 'openid-client';

/** What a discovery found. */
export interface FoundServer {
  /** Address of the server that it was found for. */
  server: string;
  issuer: string;
  metadata: ServerMetadata;
  /**
   * `read`: its metadata was read. `settings`: an administrator gave the endpoints. `assumed`: there is
   * no metadata, and its endpoints are those of the specification of 2025-03-26.
   */
  how: 'read' | 'settings' | 'assumed';
  /** Whether the server has metadata of its own (RFC 9728), where it is, what it says it is, and scopes it names. */
  resourceUrl: string | null;
  resource: string | null;
  scopes: string[];
  challengeScopes: string[];
  /** Whether the server says that it takes tokens bound to a key (RFC 9449), or no others. */
  proofs?: 'none' | 'spoken' | 'required';
  /** The server's challenge that it began with. */
  challenge: string | null;
  steps: upstreamContracts.AuthStep[];
}

/** A discovery as it is kept. */
export interface KeptServer {
  found: FoundServer;
  foundAt: number;
  /** Of the settings it was made with. */
  settingsDigest: string;
}

/** What is kept of a server's discovery. */
export async function keptServer(db: Transaction, serverId: string): Promise<KeptServer | undefined> {
  const sql = `SELECT found, found_at AS "foundAt", settings_digest AS "settingsDigest" FROM upstream_oauth WHERE server_id = $1`;
  const [row] = await db.query<Omit<KeptServer, 'foundAt'> & { foundAt: string }>(sql, [serverId]);
  return row === undefined ? undefined : { ...row, foundAt: Number(row.foundAt) };
}

/** Keeps a discovery in place of the one before. */
export async function keepServer(db: Transaction, serverId: string, { found, foundAt, settingsDigest }: KeptServer): Promise<void> {
  await db.query(
    `INSERT INTO upstream_oauth (server_id, settings_digest, found, found_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (server_id) DO UPDATE SET settings_digest = excluded.settings_digest, found = excluded.found, found_at = excluded.found_at`,
    [serverId, settingsDigest, JSON.stringify(found), foundAt],
  );
}

/** The server refuses what its authorization server gave: it may name another one by now, so it is looked at anew before the next sign-in. */
export async function doubtServer(db: Transaction, serverId: string): Promise<void> {
  await db.query('UPDATE upstream_oauth SET found_at = 0 WHERE server_id = $1', [serverId]);
}

/** Of everything that an administrator can set and that leads to another authorization server. */
export function settingsDigestOf({ url, oauth }: Pick<upstreamContracts.UpstreamServer, 'url' | 'oauth'>): string {
  const { issuer, issuerAlias, authorizeUrl, tokenUrl, allowResource, grant } = oauth;
  const settings = [url, issuer, issuerAlias, authorizeUrl, tokenUrl, allowResource, grant].map((each) => each ?? null);
  return createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
}
