import { Fault } from '@gatehouse/kernel';
import { wrapChecked, type KeyProvider } from '../providers/key-provider.js';
import type { KeyContext } from '../sealing/key-encryption-key.js';
import { BlobRefused } from '../sealing/secret-blob.js';
import type { KeyName, WrappedKey } from './key-rows.js';

/** A key's bytes as they are stored, and what wrapped them. */
export type WrappedBytes = Pick<WrappedKey, 'kekId' | 'kekVersion' | 'wrapped'>;

/** The root of the hierarchy: the key-encryption key in use, and those whose keys still have to be moved. */
export class KeyRoot {
  constructor(
    readonly active: KeyProvider,
    private readonly previous: readonly KeyProvider[],
    readonly environment: string,
  ) {}

  /** Ids of the key-encryption keys at hand, the one in use first. */
  get ids(): string[] {
    return [this.active, ...this.previous].map(({ id }) => id);
  }

  /** Wraps with the provider in use, checked; rejects as the provider does. */
  async wrap(bytes: Buffer, name: KeyName): Promise<WrappedBytes> {
    const { blob, version } = await wrapChecked(this.active, bytes, this.context(name));
    return { kekId: this.active.id, kekVersion: version, wrapped: blob };
  }

  /**
   * Unwraps with the provider that the row names. Rejects with `KeyProviderFailure` when that does not
   * work, and with a `Fault` when no provider here has this id or the row was altered. The caller
   * wipes the result.
   */
  async unwrap(key: WrappedKey): Promise<Buffer> {
    const provider = [this.active, ...this.previous].find(({ id }) => id === key.kekId);
    if (provider === undefined) throw this.foreign(key.kekId);
    try {
      return await provider.unwrap(key.wrapped, this.context(key));
    } catch (cause) {
      if (!(cause instanceof BlobRefused)) throw cause;
      throw new Fault(`the ${key.purpose} key ${key.id} did not open: another environment name, or its row was altered`, { cause });
    }
  }

  private foreign(kekId: string): Fault {
    return new Fault(
      `the key file is not the one this vault's database was sealed with (need ${kekId}, have ${this.active.id}); the one before is given as GATEHOUSE_KEK_PREVIOUS_FILE or GATEHOUSE_KMS_PREVIOUS_PROVIDER`,
    );
  }

  private context({ id, purpose, version }: KeyName): KeyContext {
    return { environment: this.environment, purpose, keyId: id, version };
  }
}
