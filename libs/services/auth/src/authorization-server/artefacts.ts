import { hash } from 'node:crypto';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { errors, Provider, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { endGrants } from './end-grants.js';

/** What artefacts are kept with. */
export interface ArtefactParts {
  db: Database;
  changes: DirectoryChanges;
  clock: Clock;
}

/**
 * Clients race: two windows refresh with the same token within seconds (PrefectHQ/fastmcp#4901). A
 * public client may repeat a refresh that early and that often; anything else is a stolen token.
 */
const REPEAT_WITHIN_MS = 30_000;
const REPEATS = 3;

interface Row {
  payload: AdapterPayload;
  consumed_at: string | null;
  reissued: number;
}

const digest = (id: string): string => hash('sha256', id, 'base64url');

/**
 * What oidc-provider keeps (codes, refresh tokens, grants, sessions …), one adapter per kind. Rows are
 * found by the digest of their id, which itself is kept nowhere; consuming is a compare-and-set, because
 * the library looks first and consumes later and two replicas would both win.
 */
export class Artefacts implements Adapter {
  constructor(
    private readonly model: string,
    private readonly parts: ArtefactParts,
  ) {}

  async upsert(id: string, { jti: _bearer, ...payload }: AdapterPayload, expiresIn: number): Promise<void> {
    const now = this.parts.clock.now();
    const expiresAt = expiresIn > 0 ? now + expiresIn * 1_000 : null;
    const grantId = this.model === 'Grant' ? id : (payload.grantId ?? null);
    const values = [this.model, digest(id), payload, grantId, hashed(payload.uid), payload.accountId ?? null, payload.clientId ?? null, now, expiresAt];
    const rows = await this.parts.db.query(
      `INSERT INTO artefacts (model, id_hash, payload, grant_id, uid_hash, account_id, client_id, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (model, id_hash) DO ${this.model === 'ReplayDetection' ? 'NOTHING' : 'UPDATE SET payload = EXCLUDED.payload, expires_at = EXCLUDED.expires_at'}
       RETURNING model`,
      values,
    );
    // Two replicas saw the same assertion as new; only one may.
    if (rows.length === 0) throw new errors.InvalidGrant('assertion was used before');
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.read('id_hash', digest(id), id);
  }

  /** Sessions by their `uid`; the id, which is the cookie, is not known then and not needed. */
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.read('uid_hash', digest(uid), undefined);
  }

  /** The device flow is off: there are no user codes. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(id: string): Promise<void> {
    const now = this.parts.clock.now();
    const [first] = await this.parts.db.query<{ grant_id: string }>(
      'UPDATE artefacts SET consumed_at = $3 WHERE model = $1 AND id_hash = $2 AND consumed_at IS NULL RETURNING grant_id',
      [this.model, digest(id), now],
    );
    if (first !== undefined || (await this.mayRepeat(id, now))) return;
    await this.endGrantOf(id);
    throw new errors.InvalidGrant(`${this.model} was used before`);
  }

  async destroy(id: string): Promise<void> {
    if (this.model === 'Grant') return this.end(id);
    await this.parts.db.query('DELETE FROM artefacts WHERE model = $1 AND id_hash = $2', [this.model, digest(id)]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.parts.db.query('DELETE FROM artefacts WHERE model = $1 AND grant_id = $2', [this.model, grantId]);
  }

  private async read(column: 'id_hash' | 'uid_hash', value: string, id: string | undefined): Promise<AdapterPayload | undefined> {
    const now = this.parts.clock.now();
    const [row] = await this.parts.db.query<Row>(
      `SELECT payload, consumed_at, reissued FROM artefacts
        WHERE model = $1 AND ${column} = $2 AND (expires_at IS NULL OR expires_at > $3)`,
      [this.model, value, now],
    );
    if (row === undefined) return undefined;
    const consumed = row.consumed_at !== null && !this.isRepeatable(row, now);
    return { ...row.payload, ...(id === undefined ? {} : { jti: id }), ...(consumed ? { consumed: Math.floor(Number(row.consumed_at) / 1_000) } : {}) };
  }

  private isRepeatable({ consumed_at: at, reissued }: Pick<Row, 'consumed_at' | 'reissued'>, now: number): boolean {
    const isPublic = Provider.ctx?.oidc.client?.clientAuthMethod === 'none';
    return this.model === 'RefreshToken' && isPublic && reissued < REPEATS && Number(at) > now - REPEAT_WITHIN_MS;
  }

  private async mayRepeat(id: string, now: number): Promise<boolean> {
    if (!this.isRepeatable({ consumed_at: String(now), reissued: 0 }, now)) return false;
    const rows = await this.parts.db.query(
      'UPDATE artefacts SET reissued = reissued + 1 WHERE model = $1 AND id_hash = $2 AND consumed_at > $3 AND reissued < $4 RETURNING model',
      [this.model, digest(id), now - REPEAT_WITHIN_MS, REPEATS],
    );
    return rows.length === 1;
  }

  private async endGrantOf(id: string): Promise<void> {
    const sql = 'SELECT grant_id FROM artefacts WHERE model = $1 AND id_hash = $2';
    const [row] = await this.parts.db.query<{ grant_id: string | null }>(sql, [this.model, digest(id)]);
    if (row !== undefined && row.grant_id !== null) await this.end(row.grant_id);
  }

  private async end(grantId: string): Promise<void> {
    await this.parts.changes.apply(async (tx) => {
      const ended = await endGrants(tx, { grantId }, this.parts.clock.now());
      return { result: ended, changed: ended > 0 };
    });
  }
}

function hashed(value: string | undefined): string | null {
  return value === undefined ? null : digest(value);
}
