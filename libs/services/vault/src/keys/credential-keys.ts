import { createSecretKey } from 'node:crypto';
import { Fault } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import { BlobRefused, type VersionedKey } from '../sealing/secret-blob.js';
import type { WrappedKey } from './key-rows.js';
import type { KeyStore } from './key-store.js';

/** The key a blob names is there no more: the blob was sealed anew since it was read, or was put back after that. */
export class KeyGone extends BlobRefused {}

/** The key was replaced between fetching it and sealing with it. */
class KeyReplaced extends Error {}

const MOST_RACES = 5;

/**
 * Reads and opens; once more when the key was gone, because a rotation may have sealed the row anew and
 * deleted the old key between the two. A `Fault` with this message when it is still gone.
 */
export async function againWhenGone<T>(readAndOpen: () => Promise<T>, message: string): Promise<T> {
  try {
    return await readAndOpen();
  } catch (error) {
    if (!(error instanceof KeyGone)) throw error;
  }
  return readAndOpen().catch((cause: unknown) => {
    throw cause instanceof KeyGone ? new Fault(message, { cause }) : cause;
  });
}

/** The versioned keys that wrap the data keys of secrets. */
export class CredentialKeys {
  /** Unwrapped once per process; as key objects the bytes are outside the JS heap. A version's key never changes. */
  private readonly unwrapped = new Map<number, VersionedKey>();

  constructor(private readonly store: KeyStore) {}

  /** The key to seal new secrets with. Asked of the database each time, so that no replica seals under a retired one. */
  async active(): Promise<VersionedKey> {
    return this.open(await this.store.active('credential'));
  }

  /**
   * Runs a transaction that seals with the active key. The key's row is held until the end, so that a
   * rotation waits and no blob is left under a key that is deleted; a key that was replaced a moment
   * before is fetched anew.
   */
  async sealing<T>(db: Database, work: (tx: Transaction, key: VersionedKey) => Promise<T>): Promise<T> {
    for (let race = 1; ; race++) {
      // Before the transaction, which must not wait for a second connection.
      const key = await this.active();
      try {
        return await db.transaction(async (tx) => {
          await this.hold(tx, key);
          return work(tx, key);
        });
      } catch (error) {
        if (!(error instanceof KeyReplaced) || race === MOST_RACES) throw error;
      }
    }
  }

  /** Keeps the key the active one until the transaction ends; throws when it is that no more. */
  async hold(tx: Transaction, { version }: VersionedKey): Promise<void> {
    const held = await tx.query(`SELECT 1 FROM wrapped_keys WHERE purpose = 'credential' AND version = $1 AND state = 'active' FOR SHARE`, [version]);
    if (held.length === 0) throw new KeyReplaced('another credential key is the active one');
  }

  /** Forgets the keys of versions that were deleted. */
  keepOnly(versions: readonly number[]): void {
    for (const version of this.unwrapped.keys()) if (!versions.includes(version)) this.unwrapped.delete(version);
  }

  /** The key of the version a blob names; throws `KeyGone` when there is none. */
  async version(version: number): Promise<VersionedKey> {
    const known = this.unwrapped.get(version);
    if (known !== undefined) return known;
    const key = await this.store.version('credential', version);
    if (key === undefined) throw new KeyGone();
    return this.open(key);
  }

  private async open(key: WrappedKey): Promise<VersionedKey> {
    const known = this.unwrapped.get(key.version);
    if (known !== undefined) return known;
    const opened = { version: key.version, key: await this.store.lend(key, (bytes) => createSecretKey(bytes)) };
    this.unwrapped.set(key.version, opened);
    return opened;
  }
}
