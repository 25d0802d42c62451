import { createSecretKey } from 'node:crypto';
import { BlobRefused, type VersionedKey } from '../sealing/secret-blob.js';
import type { KeyStore, WrappedKey } from './key-store.js';

/** The versioned keys that wrap the data keys of secrets. */
export class CredentialKeys {
  /** Unwrapped once per process; as key objects the bytes are outside the JS heap. A version's key never changes. */
  private readonly unwrapped = new Map<number, VersionedKey>();

  constructor(private readonly store: KeyStore) {}

  /** The key to seal new secrets with. Asked of the database each time, so that no replica seals under a retired one. */
  async active(): Promise<VersionedKey> {
    return this.open(await this.store.active('credential'));
  }

  /** The key of the version a blob names; throws `BlobRefused` when there was never one. */
  async version(version: number): Promise<VersionedKey> {
    const known = this.unwrapped.get(version);
    if (known !== undefined) return known;
    const key = await this.store.version('credential', version);
    if (key === undefined) throw new BlobRefused();
    return this.open(key);
  }

  private open(key: WrappedKey): VersionedKey {
    const known = this.unwrapped.get(key.version);
    if (known !== undefined) return known;
    const opened = { version: key.version, key: this.store.lend(key, (bytes) => createSecretKey(bytes)) };
    this.unwrapped.set(key.version, opened);
    return opened;
  }
}
