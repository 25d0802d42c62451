import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { findIdentity, type IdentityRow } from './identity-rows.js';

/** How long whoever writes the tokens of an identity may be silent before another takes over. */
export const LEASE_MS = 10_000;
const POLL_FROM_MS = 40;
const POLL_SPREAD_MS = 40;

/** The right to write the tokens of one identity, for `LEASE_MS` at a time. */
export interface IdentityLease {
  /** The row as it was when the right was taken. */
  row: IdentityRow;
  /** Tells one holder from another. */
  holder: string;
  /** Where a refresh token of this holder's will stand. */
  promised: string;
}

/**
 * One writer at a time over all replicas, by the database and its clock alone. A holder that died is
 * succeeded when its time is over; one that was merely slow finds out by `extend`, or by its last
 * write, that it is not the holder any more.
 */
export class IdentityLeases {
  constructor(
    private readonly db: Database,
    private readonly leaseMs = LEASE_MS,
  ) {}

  /** Takes the right, unless somebody has it or the tokens are not those of `tokenVersion` any more. */
  async take(id: string, tokenVersion: number): Promise<IdentityLease | undefined> {
    const [holder, promised] = [randomUUID(), newId('secret')];
    const taken = await this.db.query(
      `UPDATE identities SET lease_owner = $3, lease_until = clock_timestamp() + $4 * interval '1 millisecond'
        WHERE id = $1 AND token_version = $2 AND (lease_until IS NULL OR lease_until < clock_timestamp()) RETURNING id`,
      [id, tokenVersion, holder, this.leaseMs],
    );
    if (taken.length === 0) return undefined;
    return { row: (await findIdentity(this.db, id))!, holder, promised };
  }

  /** Takes the right when it is free, within `limitMs`; refuses with `service_timeout`, and with `not_found` when the row is gone. */
  async await(id: string, limitMs: number): Promise<IdentityLease> {
    for (const limit = performance.now() + limitMs; performance.now() < limit; await this.pause()) {
      const row = await findIdentity(this.db, id);
      if (row === undefined) throw new Refusal('not_found');
      const lease = await this.take(id, row.tokenVersion);
      if (lease !== undefined) return lease;
    }
    throw new Refusal('service_timeout');
  }

  /** Begins the holder's time anew; false when it is not the holder any more. */
  async extend({ row: { id }, holder }: IdentityLease): Promise<boolean> {
    const sql = `UPDATE identities SET lease_until = clock_timestamp() + $3 * interval '1 millisecond' WHERE id = $1 AND lease_owner = $2 RETURNING id`;
    return (await this.db.query(sql, [id, holder, this.leaseMs])).length === 1;
  }

  /** Extends it until the function returned is called: a provider that is slow must not be asked twice with one token. */
  keep(lease: IdentityLease): () => void {
    // A database that is away for a moment costs one beat of three.
    const timer = setInterval(() => void this.extend(lease).catch(() => undefined), this.leaseMs / 3).unref();
    return () => clearInterval(timer);
  }

  /** Says in the row, before the provider is asked, where its new refresh token will stand; begins the time anew. False when it is not the holder any more. */
  async promise({ row: { id }, holder, promised }: IdentityLease): Promise<boolean> {
    const sql = `UPDATE identities SET pending_ref = $4, lease_until = clock_timestamp() + $3 * interval '1 millisecond' WHERE id = $1 AND lease_owner = $2 RETURNING id`;
    return (await this.db.query(sql, [id, holder, this.leaseMs, promised])).length === 1;
  }

  /** Ends the holder's time; nothing happens when it is not the holder any more. */
  async release({ row: { id }, holder }: IdentityLease): Promise<void> {
    await this.db.query('UPDATE identities SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2', [id, holder]);
  }

  /** Whether somebody has the right to write tokens after those of `tokenVersion`. */
  async isHeld(id: string, tokenVersion: number): Promise<boolean> {
    const sql = 'SELECT id FROM identities WHERE id = $1 AND token_version = $2 AND lease_until >= clock_timestamp()';
    return (await this.db.query(sql, [id, tokenVersion])).length === 1;
  }

  /** The time between two looks: spread, so that many who wait do not look at once. */
  async pause(): Promise<void> {
    await sleep(POLL_FROM_MS + Math.random() * POLL_SPREAD_MS);
  }
}
