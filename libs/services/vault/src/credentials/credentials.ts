import { vaultContracts } from '@gatehouse/contracts';
import { Refusal, sealTo, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Outbox, Transaction } from '@gatehouse/persistence';
import type { Counter, Logger, Metrics } from '@gatehouse/telemetry';
import { againWhenGone } from '../keys/credential-keys.js';
import { openEntryBox, type EntryKeys } from '../keys/entry-keys.js';
import { credentialRow, lockOrAddRow, readCredential, replaceFields, type CredentialBinding, type CredentialRow, type ExpiringCredential } from './credential-rows.js';
import { checkSecretHeaders, leasedHeadersJson, type SecretHeader } from './leased-headers.js';
import type { VersionedKey } from '../sealing/secret-blob.js';
import type { SecretSealer } from './secret-sealer.js';

/** A field as it arrives: sealed to the vault's entry key under `entryContext`. */
export interface SealedField {
  name: string;
  sealed: string;
}

/** What an edge gets: openable with its own key only. */
export interface CredentialLease {
  sealed: string;
  version: number;
  /** Milliseconds that the lease may be used. */
  expiresInMs: number;
  /** Milliseconds until the credential's own end, if that is known. */
  credentialExpiresInMs: number | null;
}

/** What is given to whom. */
export interface Transfer {
  identityId: string;
  serverId: string;
  from: string;
  to: string;
}

/** What `Credentials` works with. */
export interface CredentialParts {
  db: Database;
  outbox: Outbox;
  entryKeys: EntryKeys;
  sealer: SecretSealer;
  log: Logger;
  metrics: Metrics;
  clock?: Clock;
}

const LEASE_MS = 60_000;

/** Stores, leases and destroys the secret headers of identities. */
export class Credentials {
  private readonly clock: Clock;
  private readonly leases: Counter;

  constructor(private readonly parts: CredentialParts) {
    this.leases = parts.metrics.counter('gatehouse_vault_leases_total', 'Credential leases asked for, by outcome.', ['outcome']);
    this.clock = parts.clock ?? systemClock;
  }

  /**
   * Seals the fields as the identity's next version and drops the previous one. Refuses with
   * `bad_request` when a field does not open or cannot be a header, and with `conflict` when the
   * identity belongs to another server or owner. Another origin binds the credential anew: its
   * owner has just typed the secret in for it.
   */
  async store(credential: ExpiringCredential, fields: readonly SealedField[]): Promise<number> {
    const headers = await this.openFields(credential.identityId, fields);
    try {
      checkSecretHeaders(headers);
      return await this.storeHeaders(credential, headers);
    } finally {
      wipe(headers);
    }
  }

  /**
   * The identity's headers, sealed to the asking edge. Another server or owner than the stored one
   * is answered as if nothing were stored (`credential_missing`), another origin with
   * `credential_unbound`; neither says what is stored instead. One that has ended is
   * `credential_expired`. A blob that does not open, or whose end was altered, is a `Fault`.
   */
  async lease(asked: CredentialBinding, edgeKey: string): Promise<CredentialLease> {
    try {
      const lease = await this.checkedLease(asked, edgeKey);
      this.leases.labels('leased').inc();
      return lease;
    } catch (error) {
      this.leases.labels(error instanceof Refusal ? error.code : 'failed').inc();
      throw error;
    }
  }

  private async checkedLease(asked: CredentialBinding, edgeKey: string): Promise<CredentialLease> {
    const { row, headers } = await this.openNewest(asked);
    try {
      // After opening: an altered end is an altered row, not one that has ended.
      return { ...this.lifeOf(row), sealed: sealHeaders(edgeKey, headers, asked), version: row.version };
    } finally {
      wipe(headers);
    }
  }

  private lifeOf({ expiresAt }: CredentialRow): Pick<CredentialLease, 'expiresInMs' | 'credentialExpiresInMs'> {
    if (expiresAt === null) return { expiresInMs: LEASE_MS, credentialExpiresInMs: null };
    const leftMs = expiresAt - this.clock.now();
    if (leftMs <= 0) throw new Refusal('credential_expired');
    return { expiresInMs: Math.min(LEASE_MS, leftMs), credentialExpiresInMs: leftMs };
  }

  private async openNewest(asked: CredentialBinding): Promise<{ row: CredentialRow; headers: SecretHeader[] }> {
    return againWhenGone(async () => {
      const found = await readCredential(this.parts.db, asked.identityId);
      const fields = found?.fields ?? [];
      const row = this.leasable(asked, found?.row, fields.length);
      return { row, headers: await this.parts.sealer.open(row, fields) };
    }, `a stored secret of ${asked.identityId} did not open`);
  }

  /**
   * Seals the identity's secrets anew for another owner, as their next version; its end stays. Nothing
   * happens when they are that owner's already. Refuses with `credential_missing` when there are none
   * for this server, and with `conflict` when they are somebody else's than `from`.
   */
  async transfer({ identityId, serverId, from, to }: Transfer): Promise<number> {
    const { version, isMoved } = await this.parts.sealer.sealing(this.parts.db, async (tx, key) => {
      const row = await credentialRow(tx, identityId, true);
      if (row === undefined || row.destroyed || row.serverId !== serverId) throw new Refusal('credential_missing');
      if (row.owner === to) return { version: row.version, isMoved: false };
      if (row.owner !== from) throw new Refusal('conflict');
      const next = { ...row, owner: to, version: row.version + 1 };
      await this.sealAnew(tx, key, [row, next]);
      return { version: next.version, isMoved: true };
    });
    if (isMoved) this.committed('credential given to another owner', { identityId, serverId, from, to, version });
    return version;
  }

  /** Deletes the identity's secrets; false when there were none. */
  async destroy(identityId: string): Promise<boolean> {
    const destroyed = await this.parts.db.transaction(async (tx) => {
      const row = await credentialRow(tx, identityId, true);
      if (row === undefined || row.destroyed) return false;
      await replaceFields(tx, { ...row, destroyed: true }, [], this.clock.now());
      await this.announce(tx, row, 0);
      return true;
    });
    if (destroyed) this.committed('credential destroyed', { identityId });
    return destroyed;
  }

  private async sealAnew(tx: Transaction, key: VersionedKey, [row, next]: [CredentialRow, CredentialRow]): Promise<void> {
    const { fields } = (await readCredential(tx, row.identityId))!;
    if (fields.length === 0) throw new Refusal('credential_missing');
    const headers = await this.parts.sealer.open(row, fields);
    try {
      await replaceFields(tx, next, this.parts.sealer.seal(key, next, headers), this.clock.now());
      await this.announce(tx, next, next.version);
    } finally {
      wipe(headers);
    }
  }

  private async openFields(identityId: string, fields: readonly SealedField[]): Promise<SecretHeader[]> {
    const pairs = await this.parts.entryKeys.pairs();
    const headers: SecretHeader[] = [];
    for (const { name, sealed } of fields) {
      const value = openEntryBox(pairs, sealed, vaultContracts.entryContext(identityId, name));
      if (value === undefined) {
        wipe(headers);
        throw new Refusal('bad_request', { field: name, problem: 'not sealed to the entry key for this field' });
      }
      headers.push({ name, value });
    }
    return headers;
  }

  private async storeHeaders(credential: ExpiringCredential, headers: readonly SecretHeader[]): Promise<number> {
    const version = await this.parts.sealer.sealing(this.parts.db, async (tx, key) => {
      const row = await lockOrAddRow(tx, credential, this.clock.now());
      if (!belongsTo(row, credential)) throw new Refusal('conflict');
      const next = { ...credential, version: row.version + 1, destroyed: false };
      await replaceFields(tx, next, this.parts.sealer.seal(key, next, headers), this.clock.now());
      await this.announce(tx, next, next.version);
      return next.version;
    });
    this.committed('credential stored', { identityId: credential.identityId, serverId: credential.serverId, version });
    return version;
  }

  private leasable(asked: CredentialBinding, row: CredentialRow | undefined, fields: number): CredentialRow {
    const { identityId, serverId } = asked;
    // No fields is refused like a destroyed one: an empty lease would send the call without its credential.
    if (row === undefined || row.destroyed || fields === 0 || !belongsTo(row, asked)) {
      this.parts.log.warn({ identityId, serverId, stored: row !== undefined }, 'lease refused: no such credential');
      throw new Refusal('credential_missing');
    }
    if (row.origin !== asked.origin) {
      this.parts.log.warn({ identityId, serverId }, 'lease refused: made for another origin');
      throw new Refusal('credential_unbound');
    }
    return row;
  }

  private announce(tx: Transaction, { identityId, serverId }: CredentialBinding, version: number): Promise<void> {
    return this.parts.outbox.add(tx, vaultContracts.credentialChanged.subject, { identityId, serverId, version });
  }

  private committed(message: string, ids: object): void {
    this.parts.outbox.poke();
    this.parts.log.info(ids, message);
  }
}

function belongsTo(row: CredentialRow, { serverId, owner }: CredentialBinding): boolean {
  return row.serverId === serverId && row.owner === owner;
}

function sealHeaders(edgeKey: string, headers: readonly SecretHeader[], { identityId, serverId, origin }: CredentialBinding): string {
  const json = leasedHeadersJson(headers);
  try {
    return sealTo(edgeKey, json, vaultContracts.leaseContext(identityId, serverId, origin));
  } finally {
    json.fill(0);
  }
}

function wipe(headers: readonly SecretHeader[]): void {
  for (const { value } of headers) value.fill(0);
}
