import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { FindUpstream } from '../upstreams/find-upstream.js';
import type { TokenRequests } from '../upstreams/upstream-tokens.js';
import type { IdentityEvents } from './identity-events.js';
import type { IdentityLeases } from './identity-leases.js';
import { deleteIdentity, findIdentity, secretsOf, updateIdentity, type IdentityRow } from './identity-rows.js';
import { wipeKept, type IdentityVault } from './identity-vault.js';

/** What destroying works with. */
export interface ShredderParts {
  db: Database;
  vault: IdentityVault;
  leases: IdentityLeases;
  events: IdentityEvents;
  tokens: Pick<TokenRequests, 'revoke'>;
  findUpstream: FindUpstream;
  log: Logger;
  clock: Clock;
}

/** Ends identities where they came from, and destroys what the vault has of them. */
export class Shredder {
  constructor(private readonly parts: ShredderParts) {}

  /**
   * Destroys one that is due. Resolves without it when somebody writes its tokens just now, or when
   * the vault is not there: the row stays due, and the next sweep tries again.
   */
  async shred(id: string): Promise<void> {
    const { db, leases, log } = this.parts;
    const row = await findIdentity(db, id);
    const lease = row === undefined ? undefined : await leases.take(id, row.tokenVersion);
    if (lease === undefined) return;
    try {
      if (this.isDue(lease.row)) await this.destroy(lease.row);
    } catch (error) {
      log.warn({ err: error, identityId: id }, 'what the vault has of an identity could not be destroyed yet');
    } finally {
      await leases.release(lease);
    }
  }

  private isDue({ shredAt }: IdentityRow): boolean {
    return shredAt !== null && shredAt <= this.parts.clock.now();
  }

  private async destroy(row: IdentityRow): Promise<void> {
    const { vault, db, events } = this.parts;
    await this.revoke(row);
    for (const ref of secretsOf(row)) await vault.forgetRefreshToken(ref);
    await vault.destroy(row.id);
    await db.transaction(async (tx) => {
      if (row.hidden) return deleteIdentity(tx, row.id);
      await updateIdentity(tx, row.id, { refreshRef: null, pendingRef: null, staleRefs: [], shredAt: null, tokenVersion: row.tokenVersion + 1 });
      if (row.reason === 'owner_gone') await events.add(tx, row, 'owner_gone');
    });
    events.poke();
    this.parts.log.info({ identityId: row.id, serverId: row.serverId }, 'identity destroyed');
  }

  /** As good as can be: an authorization server that is down must not keep the secret alive here. */
  private async revoke({ id, serverId, clientRef, refreshRef }: IdentityRow): Promise<void> {
    const { vault, tokens, findUpstream, log } = this.parts;
    if (clientRef === null || refreshRef === null) return;
    const token = await vault.refreshToken(refreshRef);
    const upstream = await findUpstream(serverId);
    if (token === undefined || upstream === null) return;
    try {
      await tokens.revoke(clientRef, upstream, token.refreshToken, 'refresh_token');
    } catch (error) {
      log.warn({ err: error, identityId: id }, 'an identity could not be revoked where it came from');
    } finally {
      wipeKept(token);
    }
  }
}
