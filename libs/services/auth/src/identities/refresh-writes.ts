import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import type { UpstreamTokens } from '../upstreams/upstream-tokens.js';
import type { ChangeCause, IdentityEvents } from './identity-events.js';
import type { IdentityLease, IdentityLeases } from './identity-leases.js';
import { findIdentity, secretsOf, updateIdentity, type IdentityRow, type IdentityUpdate } from './identity-rows.js';
import { wipeKept, type IdentityVault } from './identity-vault.js';
import { dueAt, pauseAfter } from './token-life.js';

/** What the writes of a refresh work with. */
export interface RefreshWritesParts {
  db: Database;
  changes: DirectoryChanges;
  vault: IdentityVault;
  leases: IdentityLeases;
  events: IdentityEvents;
  log: Logger;
  clock: Clock;
}

/** How long new tokens are held on to while the vault is not there (ms): they are the only ones there are. */
const INSIST_MS = 30_000;
/** After so long without an answer nothing is refreshed ahead any more; calls still ask. */
const CEILING_MS = 24 * 3_600_000;
/** What a vault that is away for a while is refused with. */
const MAY_PASS: ReadonlySet<string> = new Set(['vault_unavailable', 'service_unavailable', 'service_timeout', 'overloaded']);
const WORKS = { status: 'active', reason: null, failures: 0, invalidRequests: 0, retryAt: null, retryingSince: null } as const;

/**
 * Writes what a refresh came to, over two stores, so that a crash at any point leaves either the old
 * token, or the new one, or an identity that asks to be connected anew; see ADR 0012. In order: the
 * row names the secret that the new refresh token will stand in, before the provider is asked; the
 * vault gets the refresh token, the vault gets the access token, the row moves on.
 */
export class RefreshWrites {
  constructor(private readonly parts: RefreshWritesParts) {}

  /**
   * The row to go on with. Where an earlier holder died, or never heard an answer, after the vault had
   * a new refresh token, that is the one; otherwise `answerLost`: the provider may have given one.
   */
  async settlePending(lease: IdentityLease): Promise<{ row: IdentityRow; answerLost: boolean }> {
    const { row } = lease;
    if (row.pendingRef === null) return { row, answerLost: false };
    const left = await this.parts.vault.refreshToken(row.pendingRef);
    wipeKept(left);
    const refreshRef = left === undefined ? row.refreshRef : row.pendingRef;
    const update = { refreshRef, pendingRef: null, staleRefs: secretsOf(row).filter((ref) => ref !== refreshRef) };
    await this.ifMine(this.parts.db, lease, (tx) => updateIdentity(tx, row.id, update));
    return { row: { ...row, ...update }, answerLost: left === undefined };
  }

  /** New tokens came; `isForced` when the server had refused the one before. Nothing is written by who is not the holder any more. */
  async renewed(lease: IdentityLease, tokens: UpstreamTokens, isForced: boolean): Promise<void> {
    const { row, promised } = lease;
    const { vault } = this.parts;
    const { refreshToken, dpopKey } = tokens;
    if (refreshToken !== null && !(await this.insist(lease, () => vault.keepRefreshToken(promised, { refreshToken, dpopKey })))) return;
    let credentialVersion = 0;
    const stored = await this.insist(lease, async () => void (credentialVersion = await vault.storeAccess(row, tokens)));
    if (stored) await this.moveOn(lease, tokens, { credentialVersion, refusedAt: isForced ? this.parts.clock.now() : null });
  }

  /** There was no answer to go by; the earlier tokens are used on. Not known to be unspent: the next refusal of the refresh token may mean that this answer was lost. */
  async unanswered(lease: IdentityLease): Promise<void> {
    const now = this.parts.clock.now();
    await this.settle(lease, 'unreachable', (row) => {
      const failures = row.failures + 1;
      const retryAt = now + pauseAfter(failures);
      const retryingSince = row.retryingSince ?? now;
      return { status: 'retrying', reason: 'unreachable', failures, retryAt, retryingSince, dueAt: now - retryingSince > CEILING_MS ? null : retryAt };
    });
  }

  /** The token endpoint said that something is wrong with the request: too little to end an identity by. */
  async doubted(lease: IdentityLease): Promise<void> {
    const now = this.parts.clock.now();
    await this.settle(lease, 'unreachable', (row) => {
      const invalidRequests = row.invalidRequests + 1;
      const retryAt = now + pauseAfter(invalidRequests);
      return { status: 'retrying', reason: 'refresh_refused', invalidRequests, retryAt, retryingSince: row.retryingSince ?? now, dueAt: retryAt, pendingRef: null };
    });
  }

  /** Refused for good: its owner must connect anew. */
  async ended(lease: IdentityLease, reason: NonNullable<IdentityRow['reason']>): Promise<void> {
    await this.settle(lease, 'refused', (row) => ({ status: 'needs_reauth', reason, dueAt: null, retryAt: null, pendingRef: null, staleRefs: secretsOf(row).filter((ref) => ref !== row.refreshRef) }));
    this.parts.log.warn({ identityId: lease.row.id, serverId: lease.row.serverId, reason }, 'identity must be connected anew');
  }

  private async moveOn(lease: IdentityLease, { expiresAt, scopes, refreshToken }: UpstreamTokens, marks: Pick<IdentityRow, 'credentialVersion' | 'refusedAt'>): Promise<void> {
    const now = this.parts.clock.now();
    const life = { expiresAt, ttlMs: expiresAt === null ? null : expiresAt - now };
    await this.settle(lease, 'refreshed', (row) => {
      const refreshRef = refreshToken === null ? row.refreshRef : lease.promised;
      const staleRefs = secretsOf(row).filter((ref) => ref !== refreshRef);
      const refs = { refreshRef, pendingRef: null, staleRefs };
      // Ended meanwhile for something that a refresh does not mend: its tokens are kept all the same.
      const state = row.status === 'needs_reauth' ? {} : { ...WORKS, dueAt: dueAt(life) };
      return { ...state, ...life, ...refs, ...marks, tokenVersion: row.tokenVersion + 1, scopes: scopes ?? row.scopes, lastRefreshAt: now };
    });
    await this.forgetStale(lease.row.id);
  }

  /** Edges hear of a change of status; one of tokens they learn from the vault. */
  private async settle(lease: IdentityLease, cause: ChangeCause, update: (row: IdentityRow) => IdentityUpdate): Promise<void> {
    await this.parts.changes.apply(async (tx) => {
      let changed = false;
      await this.ifMine(tx, lease, async (same, row) => {
        const next = update(row);
        changed = next.status !== undefined && next.status !== row.status;
        await updateIdentity(same, row.id, next);
        if (changed || cause === 'refreshed') await this.parts.events.add(same, { ...row, ...next }, cause);
      });
      return { result: undefined, changed };
    });
    this.parts.events.poke();
  }

  private async ifMine(db: Transaction, { row: { id, tokenVersion }, holder }: IdentityLease, work: (tx: Transaction, row: IdentityRow) => Promise<void>): Promise<void> {
    const sql = `SELECT id FROM identities WHERE id = $1 AND token_version = $2 AND lease_owner = $3 AND status <> 'revoked' FOR UPDATE`;
    if ((await db.query(sql, [id, tokenVersion, holder])).length === 0) {
      this.parts.log.warn({ identityId: id }, 'a refresh came too late and is dropped');
      return;
    }
    await work(db, (await findIdentity(db, id))!);
  }

  /** True once `write` is done; false when another has taken over, or the vault stayed away too long. */
  private async insist(lease: IdentityLease, write: () => Promise<void>): Promise<boolean> {
    const { leases, log } = this.parts;
    for (const limit = performance.now() + INSIST_MS; await leases.extend(lease); await leases.pause()) {
      try {
        await write();
        return true;
      } catch (error) {
        if (!(error instanceof Refusal && MAY_PASS.has(error.code)) || performance.now() > limit) throw error;
        log.warn({ err: error, identityId: lease.row.id }, 'new tokens could not be stored yet');
      }
    }
    return false;
  }

  /** Secrets that nothing leads to any more; what cannot be destroyed now is with the next refresh. */
  private async forgetStale(id: string): Promise<void> {
    const row = await findIdentity(this.parts.db, id);
    const stale = row?.staleRefs ?? [];
    try {
      for (const ref of stale) await this.parts.vault.forgetRefreshToken(ref);
      const sql = 'UPDATE identities SET stale_refs = (SELECT coalesce(array_agg(ref), $3) FROM unnest(stale_refs) AS ref WHERE ref <> ALL ($2::text[])) WHERE id = $1';
      if (stale.length > 0) await this.parts.db.query(sql, [id, stale, []]);
    } catch (error) {
      this.parts.log.warn({ err: error, identityId: id }, 'a used refresh token could not be destroyed yet');
    }
  }
}
