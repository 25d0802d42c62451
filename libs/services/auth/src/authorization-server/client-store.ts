import { hash } from 'node:crypto';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { ClientFacts, RuleDecision } from '../clients/client-rules.js';
import { keptSecret } from './client-secrets.js';

const USED_EVERY_MS = 3_600_000;
const GRANT_USED_EVERY_MS = 60_000;

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
    private readonly decide: (client: ClientFacts) => Promise<RuleDecision>,
  ) {}

  /** What a client that registers itself said of itself; its secret is kept as a digest. Refused when a rule keeps it out. */
  async upsert(id: string, { client_secret: secret, ...metadata }: AdapterPayload): Promise<void> {
    const kept = secret === undefined ? metadata : { ...metadata, client_secret: keptSecret(String(secret)) };
    const { effect, requireDpop } = await this.decide(factsOf('dynamic', id, metadata));
    if (effect === 'deny') throw keptOut();
    await this.db.query(
      `INSERT INTO clients (id, kind, name, host, status, require_dpop, metadata, created_at) VALUES ($1, 'dynamic', $2, $3, $4, $5, $6, $7)`,
      [id, nameOf(metadata, id), hostOfFirst(metadata.redirect_uris as string[] | undefined), statusOf(effect), requireDpop, kept, this.clock.now()],
    );
  }

  /** A client's metadata; one that was denied, and a service account that is disabled, are nobody. */
  async find(id: string): Promise<AdapterPayload | undefined> {
    const [row] = await this.db.query<{ metadata: AdapterPayload; bound: boolean }>(
      `SELECT metadata, require_dpop AS bound FROM clients c WHERE id = $1 AND status <> 'denied' AND kind <> 'metadata-document'
          AND (kind <> 'service-account' OR EXISTS (SELECT 1 FROM people p WHERE p.id = c.id AND p.status = 'active'))`,
      [id],
    );
    return row?.bound === true ? { ...row.metadata, dpop_bound_access_tokens: true } : row?.metadata;
  }

  /** What is decided about a client that is known here. */
  async state(id: string): Promise<ClientState | undefined> {
    const sql = 'SELECT kind, status, document_hash AS "documentHash" FROM clients WHERE id = $1';
    return (await this.db.query<ClientState>(sql, [id]))[0];
  }

  /**
   * Notes what a metadata document says now and tells what the rules ask of the client; undefined when
   * it is kept out. Rules are asked every time; whether it waits for somebody to let it in is decided at
   * its first sight and by people.
   */
  async noteDocument(id: string, metadata: AdapterPayload, documentHash: string): Promise<Pick<RuleDecision, 'requireDpop'> | undefined> {
    const { effect, requireDpop } = await this.decide(factsOf('metadata-document', id, metadata));
    if (effect === 'deny' || (await this.state(id))?.status === 'denied') return undefined;
    await this.db.query(
      `INSERT INTO clients (id, kind, name, host, status, metadata, document_hash, created_at, require_dpop)
       VALUES ($1, 'metadata-document', $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, metadata = EXCLUDED.metadata, document_hash = EXCLUDED.document_hash, require_dpop = EXCLUDED.require_dpop
         WHERE clients.document_hash IS DISTINCT FROM EXCLUDED.document_hash OR clients.require_dpop <> EXCLUDED.require_dpop`,
      [id, nameOf(metadata, id), new URL(id).host, statusOf(effect), metadata, documentHash, this.clock.now(), requireDpop],
    );
    return { requireDpop };
  }

  /** Whether nobody has decided about this request yet; whoever asks first may. */
  async claimDecision(uid: string): Promise<boolean> {
    const sql = `UPDATE artefacts SET consumed_at = $2 WHERE model = 'Interaction' AND id_hash = $1 AND consumed_at IS NULL RETURNING model`;
    return (await this.db.query(sql, [hash('sha256', uid, 'base64url'), this.clock.now()])).length > 0;
  }

  /** Notes in which sign-in, and to which state of the client's document, a person agreed to a grant. */
  async noteConsent(grantId: string, loginSession: string, document: string | null): Promise<void> {
    await this.db.query(
      `UPDATE artefacts SET login_session = $2, payload = payload || jsonb_build_object('gh_document', $3::text) WHERE model = 'Grant' AND grant_id = $1`,
      [grantId, loginSession, document],
    );
  }

  /** Notes which grants and tokens a grant was derived from; it ends with each of them. */
  async noteSources(grantId: string, sources: readonly string[]): Promise<void> {
    if (sources.length === 0) return;
    await this.db.query(`UPDATE artefacts SET sources = $2 WHERE model = 'Grant' AND grant_id = $1`, [grantId, sources]);
  }

  /** Whether a grant or one access token is over before its time. */
  async isDenied(ids: readonly string[]): Promise<boolean> {
    return (await this.db.query('SELECT 1 FROM denied WHERE id = ANY ($1)', [ids])).length > 0;
  }

  /** Whether a grant was given to the client as its document describes it here and now; replicas may hold different states of it. */
  async agreedTo(grantId: string, document: string | null): Promise<boolean> {
    const sql = `SELECT 1 FROM artefacts WHERE model = 'Grant' AND grant_id = $1 AND (payload ->> 'gh_document') IS NOT DISTINCT FROM $2::text`;
    return (await this.db.query(sql, [grantId, document])).length > 0;
  }

  /** Notes that a client got a token: of itself to the hour, of the grant to the minute, so that refreshing costs no write each time. */
  async noteUse(id: string, grantId: string | undefined): Promise<void> {
    const now = this.clock.now();
    await this.db.query('UPDATE clients SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $3)', [id, now, now - USED_EVERY_MS]);
    if (grantId === undefined) return;
    const sql = `UPDATE artefacts SET used_at = $2 WHERE model = 'Grant' AND grant_id = $1 AND (used_at IS NULL OR used_at < $3)`;
    await this.db.query(sql, [grantId, now, now - GRANT_USED_EVERY_MS]);
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

function factsOf(kind: ClientFacts['kind'], id: string, metadata: AdapterPayload): ClientFacts {
  return { kind, id, name: nameOf(metadata, id), redirectUris: (metadata.redirect_uris as string[] | undefined) ?? [] };
}

function statusOf(effect: RuleDecision['effect']): ClientState['status'] {
  return effect === 'review' ? 'waiting' : 'allowed';
}

function keptOut(): Error {
  const refusal = new errors.InvalidClientMetadata('an administrator of Gatehouse does not let this client register');
  return Object.assign(refusal, { status: 403, statusCode: 403 });
}

/** Host of the first redirect URI, or its scheme where there is none; null for no URI. */
export function hostOfFirst(uris: readonly string[] | undefined): string | null {
  const [first] = uris ?? [];
  return first !== undefined && URL.canParse(first) ? new URL(first).host || new URL(first).protocol : null;
}
