import type { KeyContext, KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import type { KeyProvider, ProviderWrapped } from './key-provider.js';

/** The key-encryption key of a file: always there, one version. */
export class KeyFileProvider implements KeyProvider {
  readonly id: string;

  constructor(private readonly key: KeyEncryptionKey) {
    this.id = key.id;
  }

  async wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
    return { blob: this.key.wrap(key, context), version: '' };
  }

  async unwrap(blob: Buffer, context: KeyContext): Promise<Buffer> {
    return this.key.unwrap(blob, context);
  }
}
