import type { identityContracts, vaultContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Identity = identityContracts.Identity;

/** One identity as it is kept. Times in ms since the epoch. */
export interface IdentityRow {
  id: string;
  serverId: string;
  serverName: string;
  owner: vaultContracts.CredentialOwner;
  name: string;
  method: Identity['method'];
  grant: Identity['grant'];
  status: Identity['status'];
  reason: Identity['reason'];
  preferred: boolean;
  /** The only origin the credential is sent to. */
  origin: string;
  secrets: Identity['secrets'];
  /** The client it was connected with, as the upstream side names it. */
  clientRef: string | null;
  scopes: string[] | null;
  /** Scopes a server demanded that were not granted. */
  wantedScopes: string[];
  /** End of the access token in the vault; null when it is not known. */
  expiresAt: number | null;
  /** The life it had when it was issued. */
  ttlMs: number | null;
  /** Version of the credential in the vault, as the vault counts. */
  credentialVersion: number;
  /** Grows with every token written: the fence against a holder that was too slow. */
  tokenVersion: number;
  /** Secret that holds the refresh token. */
  refreshRef: string | null;
  /** Secret that the refresh token of a call under way will stand in; left behind by a call without a known end. */
  pendingRef: string | null;
  /** Secrets to be destroyed. */
  staleRefs: string[];
  retryAt: number | null;
  retryingSince: number | null;
  failures: number;
  /** How often in a row a refresh was answered `invalid_request`. */
  invalidRequests: number;
  refusedAt: number | null;
  lastUsedAt: number;
  lastRefreshAt: number | null;
  createdAt: number;
  /** Not there yet, or not any more. */
  hidden: boolean;
  /** When what the vault has of it is destroyed, and a hidden row with it; null: not. */
  shredAt: number | null;
}

const TIMES = ['expiresAt', 'ttlMs', 'retryAt', 'retryingSince', 'refusedAt', 'lastUsedAt', 'lastRefreshAt', 'createdAt', 'shredAt'] as const;

const COLUMNS = `i.id, i.server_id AS "serverId", i.server_name AS "serverName", i.owner, i.name, i.method, i.grant_type AS "grant", i.status, i.reason,
  i.preferred, i.origin, i.secrets, i.client_ref AS "clientRef", i.scopes, i.wanted_scopes AS "wantedScopes", i.expires_at AS "expiresAt", i.ttl_ms AS "ttlMs",
  i.credential_version AS "credentialVersion", i.token_version AS "tokenVersion", i.refresh_ref AS "refreshRef", i.pending_ref AS "pendingRef",
  i.stale_refs AS "staleRefs", i.retry_at AS "retryAt", i.retrying_since AS "retryingSince", i.failures, i.invalid_requests AS "invalidRequests", i.refused_at AS "refusedAt",
  i.last_used_at AS "lastUsedAt", i.last_refresh_at AS "lastRefreshAt", i.created_at AS "createdAt", i.hidden, i.shred_at AS "shredAt"`;

/** One identity, hidden ones too; with `lock` the transaction holds its row. */
export async function findIdentity(db: Transaction, id: string, lock = false): Promise<IdentityRow | undefined> {
  const [row] = await db.query<IdentityRow>(`SELECT ${COLUMNS} FROM identities i WHERE i.id = $1${lock ? ' FOR UPDATE' : ''}`, [id]);
  return row === undefined ? undefined : asRow(row);
}

/** Whose and where: a null stands for all. */
export interface IdentityFilter {
  owner?: string | null;
  serverId?: string | null;
  serverName?: string | null;
}

/** Identities that are there, the earliest first. */
export async function identitiesOf(db: Transaction, { owner = null, serverId = null, serverName = null }: IdentityFilter): Promise<IdentityRow[]> {
  const rows = await db.query<IdentityRow>(
    `SELECT ${COLUMNS} FROM identities i
      WHERE NOT i.hidden AND ($1::text IS NULL OR i.owner = $1) AND ($2::text IS NULL OR i.server_id = $2) AND ($3::text IS NULL OR i.server_name = $3)
      ORDER BY i.created_at, i.id`,
    [owner, serverId, serverName],
  );
  return rows.map(asRow);
}

/** A row to begin with: hidden, and gone with what the vault has of it at `shredAt` unless something becomes of it. */
export type NewIdentityRow = Pick<IdentityRow, 'id' | 'serverId' | 'serverName' | 'owner' | 'name' | 'method' | 'origin' | 'createdAt'> & { shredAt: number };

/** Adds a hidden row; an id that is taken is refused with `conflict`. */
export async function insertIdentity(tx: Transaction, row: NewIdentityRow): Promise<void> {
  const { id, serverId, serverName, owner, name, method, origin, createdAt, shredAt } = row;
  await tx.query(
    `INSERT INTO identities (id, server_id, server_name, owner, name, method, status, origin, created_at, last_used_at, hidden, shred_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $8, true, $9)`,
    [id, serverId, serverName, owner, name, method, origin, createdAt, shredAt],
  );
}

/** Members that a change may set, by the column each stands in. */
const SETTABLE = {
  name: 'name',
  owner: 'owner',
  method: 'method',
  grant: 'grant_type',
  status: 'status',
  reason: 'reason',
  preferred: 'preferred',
  origin: 'origin',
  clientRef: 'client_ref',
  scopes: 'scopes',
  wantedScopes: 'wanted_scopes',
  expiresAt: 'expires_at',
  ttlMs: 'ttl_ms',
  credentialVersion: 'credential_version',
  tokenVersion: 'token_version',
  refreshRef: 'refresh_ref',
  pendingRef: 'pending_ref',
  staleRefs: 'stale_refs',
  retryAt: 'retry_at',
  retryingSince: 'retrying_since',
  failures: 'failures',
  invalidRequests: 'invalid_requests',
  refusedAt: 'refused_at',
  lastUsedAt: 'last_used_at',
  lastRefreshAt: 'last_refresh_at',
  hidden: 'hidden',
  dueAt: 'due_at',
  shredAt: 'shred_at',
} as const;

/** What to change of a row; what is left out stays. */
export type IdentityUpdate = { [K in Exclude<keyof typeof SETTABLE, 'dueAt'>]?: IdentityRow[K] } & {
  /** When it is refreshed ahead; null: not. */
  dueAt?: number | null;
};

/** Changes a row; the caller holds its lock. A name that its owner has there already is refused with `conflict`. */
export async function updateIdentity(tx: Transaction, id: string, update: IdentityUpdate): Promise<void> {
  const members = Object.entries(update) as [keyof typeof SETTABLE, unknown][];
  if (members.length === 0) return;
  const set = members.map(([member], at) => `${SETTABLE[member]} = $${at + 2}`).join(', ');
  await tx.query(`UPDATE identities SET ${set} WHERE id = $1`, [id, ...members.map(([, value]) => value)]);
}

/** Puts the list of secrets that are shown in place of the one before. */
export async function setShownSecrets(tx: Transaction, id: string, secrets: Identity['secrets']): Promise<void> {
  await tx.query('UPDATE identities SET secrets = $2::jsonb WHERE id = $1', [id, JSON.stringify(secrets)]);
}

/** Forgets a row for good. */
export async function deleteIdentity(tx: Transaction, id: string): Promise<void> {
  await tx.query('DELETE FROM identities WHERE id = $1', [id]);
}

/** All secrets of auth's that a row leads to. */
export function secretsOf({ refreshRef, pendingRef, staleRefs }: IdentityRow): string[] {
  return [...new Set([refreshRef, pendingRef, ...staleRefs].filter((ref) => ref !== null))];
}

/** The names of owners, for people who read a list. */
export async function ownerNames(db: Transaction, rows: readonly IdentityRow[]): Promise<Map<string, string>> {
  const people = await db.query<{ id: string; name: string }>('SELECT id, name FROM people WHERE id = ANY ($1::text[])', [rows.map(({ owner }) => owner)]);
  return new Map(people.map(({ id, name }) => [id, name]));
}

/** An identity as it is shown. */
export function shownIdentity(row: IdentityRow, ownerName: string | null): Identity {
  const { id, serverName: server, serverId, owner, name, method, grant, status, reason, preferred, origin, scopes, expiresAt, secrets, createdAt } = row;
  const isRefreshable = row.refreshRef !== null || (grant !== null && grant !== 'authorization_code');
  return { id, server, serverId, owner, ownerName, name, method, grant, status, reason, preferred, origin, scopes, expiresAt, isRefreshable, secrets, createdAt, refreshedAt: row.lastRefreshAt };
}

/** bigint columns arrive as strings. */
function asRow(row: IdentityRow): IdentityRow {
  const times = Object.fromEntries(TIMES.map((name) => [name, row[name] === null ? null : Number(row[name])]));
  return { ...row, ...times };
}
