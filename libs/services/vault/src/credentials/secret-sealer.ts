import { Fault, newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import { KeyGone, type CredentialKeys } from '../keys/credential-keys.js';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { SecretContext } from '../sealing/associated-data.js';
import { keyVersionOf, openSecret, sealSecret, type VersionedKey } from '../sealing/secret-blob.js';
import type { CredentialRow, FieldRow } from './credential-rows.js';
import type { SecretHeader } from './leased-headers.js';

/** Turns headers into sealed rows and back, each blob bound to the row it belongs to. */
export class SecretSealer {
  constructor(
    private readonly keys: CredentialKeys,
    private readonly environment: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Runs a transaction that seals: see `CredentialKeys.sealing`. */
  sealing<T>(db: Database, work: (tx: Transaction, key: VersionedKey) => Promise<T>): Promise<T> {
    return this.keys.sealing(db, work);
  }

  /** One blob per header. */
  seal(key: VersionedKey, row: CredentialRow, headers: readonly SecretHeader[]): FieldRow[] {
    return headers.map(({ name, value }) => {
      const secretId = newId('secret', this.clock);
      return { name, secretId, blob: sealSecret(key, this.context(row, name, secretId), value) };
    });
  }

  /** A field's secret under another key, with a new data key of its own. Throws as `open` of one field does. */
  async reseal(key: VersionedKey, row: CredentialRow, field: FieldRow): Promise<Buffer> {
    const value = await this.openField(row, field);
    try {
      return sealSecret(key, this.context(row, field.name, field.secretId), value);
    } finally {
      value.fill(0);
    }
  }

  /**
   * The headers of a row; a `Fault` without a reason when a blob was altered, moved or replayed, and
   * `KeyGone` when its key was deleted: then the row is worth one more look. The caller wipes them.
   */
  async open(row: CredentialRow, fields: readonly FieldRow[]): Promise<SecretHeader[]> {
    const headers: SecretHeader[] = [];
    try {
      for (const field of fields) headers.push({ name: field.name, value: await this.openField(row, field) });
      return headers;
    } catch (cause) {
      headers.forEach(({ value }) => value.fill(0));
      if (cause instanceof KeyGone || cause instanceof Refusal) throw cause;
      throw new Fault(`a stored secret of ${row.identityId} did not open`, { cause });
    }
  }

  private async openField(row: CredentialRow, { name, secretId, blob }: FieldRow): Promise<Buffer> {
    const key = await this.keys.version(keyVersionOf(blob));
    return openSecret(key, this.context(row, name, secretId), blob);
  }

  private context({ serverId, origin, identityId, owner, version, expiresAt }: CredentialRow, field: string, secretId: string): SecretContext {
    return { environment: this.environment, serverId, origin, identityId, owner, secretId, field, secretVersion: version, expiresAt };
  }
}
