import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { keptSecret } from './client-secrets.js';

const USED_EVERY_MS = 3_600_000;

/** Where a client may be asked for consent, and what an administrator decided about it. */
export interface ClientState {
  kind: 'registered' | 'dynamic' | 'metadata-document' | 'service-account';
  status: 'allowed' | 'waiting' | 'denied';
  documentHash: string | null;
}

/** Clients of our authorization server, registered by hand, by themselves (RFC 7591) or known by their document. */
export class ClientStore implements Adapter {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** What a client that registers itself said of itself; its secret is kept as a digest. */
  async upsert(id: string, { client_secret: secret, ...metadata }: AdapterPayload): Promise<void> {
    const kept = secret === undefined ? metadata : { ...metadata, client_secret: keptSecret(String(secret)) };
    await this.db.query(
      `INSERT INTO clients (id, kind, name, host, status, metadata, created_at) VALUES ($1, 'dynamic', $2, $3, 'allowed', $4, $5)
       ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, host = EXCLUDED.host, metadata = EXCLUDED.metadata`,
      [id, nameOf(metadata, id), hostOf(metadata), kept, this.clock.now()],
    );
  }

  /** A client's metadata; one that was denied, and a service account that is disabled, are nobody. */
  async find(id: string): Promise<AdapterPayload | undefined> {
    const [row] = await this.db.query<{ metadata: AdapterPayload }>(
      `SELECT metadata FROM clients c WHERE id = $1 AND status <> 'denied' AND kind <> 'metadata-document'
          AND (kind <> 'service-account' OR EXISTS (SELECT 1 FROM people p WHERE p.id = c.id AND p.status = 'active'))`,
      [id],
    );
    return row?.metadata;
  }

  /** What is decided about a client that is known here. */
  async state(id: string): Promise<ClientState | undefined> {
    const sql = 'SELECT kind, status, document_hash AS "documentHash" FROM clients WHERE id = $1';
    return (await this.db.query<ClientState>(sql, [id]))[0];
  }

  /** Notes what a metadata document says now; its status and its first sight stay. */
  async noteDocument(id: string, metadata: AdapterPayload, documentHash: string): Promise<void> {
    await this.db.query(
      `INSERT INTO clients (id, kind, name, host, status, metadata, document_hash, created_at)
       VALUES ($1, 'metadata-document', $2, $3, 'allowed', $4, $5, $6)
       ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, metadata = EXCLUDED.metadata, document_hash = EXCLUDED.document_hash
         WHERE clients.document_hash IS DISTINCT FROM EXCLUDED.document_hash`,
      [id, nameOf(metadata, id), new URL(id).host, metadata, documentHash, this.clock.now()],
    );
  }

  /** Notes in which sign-in, and to which state of the client's document, a person agreed to a grant. */
  async noteConsent(grantId: string, loginSession: string): Promise<void> {
    await this.db.query(
      `UPDATE artefacts SET login_session = $2, payload = payload || jsonb_build_object('gh_document', (SELECT c.document_hash FROM clients c WHERE c.id = artefacts.client_id))
        WHERE model = 'Grant' AND grant_id = $1`,
      [grantId, loginSession],
    );
  }

  /** Whether a grant was given to the client as its document describes it now. */
  async agreedTo(grantId: string, clientId: string): Promise<boolean> {
    const [row] = await this.db.query<{ same: boolean }>(
      `SELECT (a.payload ->> 'gh_document') IS NOT DISTINCT FROM c.document_hash AS same
         FROM artefacts a LEFT JOIN clients c ON c.id = $2 WHERE a.model = 'Grant' AND a.grant_id = $1`,
      [grantId, clientId],
    );
    return row?.same === true;
  }

  /** Notes that a client got a token; to the hour, so that refreshing costs no write each time. */
  async noteUse(id: string): Promise<void> {
    const now = this.clock.now();
    await this.db.query('UPDATE clients SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $3)', [id, now, now - USED_EVERY_MS]);
  }

  async destroy(id: string): Promise<void> {
    await this.db.query(`DELETE FROM clients WHERE id = $1 AND kind = 'dynamic'`, [id]);
  }

  /** Clients are neither found by a uid nor consumed; the library asks of every adapter that it can be asked. */
  async findByUid(): Promise<undefined> {
    return undefined;
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(): Promise<void> {}

  async revokeByGrantId(): Promise<void> {}
}

function nameOf(metadata: AdapterPayload, id: string): string {
  const name: unknown = metadata['client_name'];
  return typeof name === 'string' && name !== '' ? name : id;
}

function hostOf(metadata: AdapterPayload): string | null {
  const first = (metadata.redirect_uris as string[] | undefined)?.[0];
  return first !== undefined && URL.canParse(first) ? new URL(first).host || new URL(first).protocol : null;
}
