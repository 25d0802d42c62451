import { vaultContracts } from '@gatehouse/contracts';
import { Fault, Refusal, sealTo, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { againWhenGone, KeyGone, type CredentialKeys } from '../keys/credential-keys.js';
import { openEntryBox, type EntryKeys } from '../keys/entry-keys.js';
import type { SecretContext } from '../sealing/associated-data.js';
import { keyVersionOf, openSecret, sealSecret, type VersionedKey } from '../sealing/secret-blob.js';
import { lockOrAddServiceSecret, replaceServiceSecret, serviceSecretRow, type ServiceSecretName, type ServiceSecretRow } from './service-secret-rows.js';

/** A secret as it arrives: sealed to the vault's entry key under `serviceSecretContext`. */
export interface ArrivingSecret {
  purpose: string;
  sealed: string;
}

/** What `ServiceSecrets` works with. */
export interface ServiceSecretParts {
  db: Database;
  entryKeys: EntryKeys;
  keys: CredentialKeys;
  environment: string;
  log: Logger;
  clock?: Clock;
}

const MAX_BYTES = 65_536;

/** Keeps what a service must not have lying in its own database, such as the client secret of an identity provider. */
export class ServiceSecrets {
  private readonly clock: Clock;

  constructor(private readonly parts: ServiceSecretParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /**
   * Seals the bytes as the secret's next version and drops the previous one. Refuses with
   * `bad_request` when the box does not open or holds nothing or more than 64 KiB, and with
   * `conflict` when the secret was first stored for another purpose.
   */
  async store(name: ServiceSecretName, { purpose, sealed }: ArrivingSecret): Promise<number> {
    const value = await this.openArriving(name.secretId, sealed);
    try {
      const version = await this.storeValue(name, purpose, value);
      this.parts.log.info({ ...name, purpose, version }, 'service secret stored');
      return version;
    } finally {
      value.fill(0);
    }
  }

  /** The bytes, sealed to the asking instance. `credential_missing` when there are none; a blob that does not open is a `Fault`. */
  async lease(name: ServiceSecretName, instanceKey: string): Promise<{ sealed: string; version: number }> {
    const { value, version } = await this.openNewest(name);
    try {
      return { sealed: sealTo(instanceKey, value, vaultContracts.serviceSecretLeaseContext(name.secretId, version)), version };
    } finally {
      value.fill(0);
    }
  }

  /** Deletes the secret; false when there was none. */
  async destroy(name: ServiceSecretName): Promise<boolean> {
    const destroyed = await this.parts.db.transaction(async (tx) => {
      const row = await serviceSecretRow(tx, name, true);
      if (row === undefined || row.blob === null) return false;
      await replaceServiceSecret(tx, { ...row, blob: null }, this.clock.now());
      return true;
    });
    if (destroyed) this.parts.log.info({ ...name }, 'service secret destroyed');
    return destroyed;
  }

  private async openArriving(secretId: string, sealed: string): Promise<Buffer> {
    const pairs = await this.parts.entryKeys.pairs();
    const value = openEntryBox(pairs, sealed, vaultContracts.serviceSecretContext(secretId));
    if (value === undefined) throw new Refusal('bad_request', { problem: 'not sealed to the entry key for this secret' });
    if (value.length > 0 && value.length <= MAX_BYTES) return value;
    value.fill(0);
    throw new Refusal('bad_request', { problem: `a secret has 1 to ${MAX_BYTES} bytes` });
  }

  private async storeValue(name: ServiceSecretName, purpose: string, value: Buffer): Promise<number> {
    return this.parts.keys.sealing(this.parts.db, async (tx, key) => {
      const row = await lockOrAddServiceSecret(tx, name, purpose, this.clock.now());
      if (row.purpose !== purpose) throw new Refusal('conflict');
      const next = { ...row, version: row.version + 1 };
      await replaceServiceSecret(tx, { ...next, blob: sealSecret(key, this.context(next), value) }, this.clock.now());
      return next.version;
    });
  }

  /** A secret's bytes under another key, with a new data key of their own. Throws as a lease does. */
  async reseal(key: VersionedKey, row: ServiceSecretRow, blob: Buffer): Promise<Buffer> {
    const value = await this.open(row, blob);
    try {
      return sealSecret(key, this.context(row), value);
    } finally {
      value.fill(0);
    }
  }

  private async openNewest(name: ServiceSecretName): Promise<{ value: Buffer; version: number }> {
    return againWhenGone(async () => {
      const row = await serviceSecretRow(this.parts.db, name);
      if (row === undefined || row.blob === null) throw new Refusal('credential_missing');
      return { value: await this.open(row, row.blob), version: row.version };
    }, `the stored secret ${name.secretId} of ${name.owner} did not open`);
  }

  private async open(row: ServiceSecretRow, blob: Buffer): Promise<Buffer> {
    try {
      return openSecret(await this.parts.keys.version(keyVersionOf(blob)), this.context(row), blob);
    } catch (cause) {
      if (cause instanceof KeyGone || cause instanceof Refusal) throw cause;
      throw new Fault(`the stored secret ${row.secretId} of ${row.owner} did not open`, { cause });
    }
  }

  // The owner's prefix keeps these apart from credentials, which belong to `global` or a person.
  private context({ owner, secretId, purpose, version }: ServiceSecretRow): SecretContext {
    const noServer = { serverId: '', origin: '', identityId: '', expiresAt: null };
    return { ...noServer, environment: this.parts.environment, owner: `service:${owner}`, secretId, field: purpose, secretVersion: version };
  }
}
