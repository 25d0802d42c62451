import { Fault } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { KeyRoot } from '../keys/key-root.js';
import { countKeysElsewhere, keysElsewhere, replaceWrapped, type PresentRoot, type WrappedKey } from '../keys/key-rows.js';
import { probeProvider } from '../providers/key-provider.js';
import type { Batch, Move } from './moving.js';

// Each costs three requests to a key service, with the transaction open.
const BATCH = 4;

/** Re-wraps the vault's keys with the key-encryption key in use, and with its present version. */
export class KeyMove implements Move {
  readonly what = 'root';
  private version = '';

  constructor(
    private readonly root: KeyRoot,
    private readonly log: Logger,
  ) {}

  /** The key-encryption key in use and its version now; rejects as the provider does. */
  async target(): Promise<string> {
    this.version = await probeProvider(this.root.active, this.root.environment);
    return `${this.root.active.id} ${this.version}`;
  }

  async left(tx: Transaction): Promise<number> {
    return countKeysElsewhere(tx, this.present());
  }

  async batch(tx: Transaction, after: string): Promise<Batch> {
    const keys = await keysElsewhere(tx, this.present(), { after, limit: BATCH });
    let [moved, failed] = [0, 0];
    for (const key of keys) {
      const isMoved = await this.rewrap(tx, key);
      if (isMoved) moved += 1;
      else failed += 1;
    }
    return { moved, failed, last: keys.at(-1)?.id };
  }

  /** Nothing to tidy: the old key-encryption key is destroyed where it lies, by its owner. */
  async finish(_tx: Transaction, hasMoved: boolean): Promise<void> {
    if (!hasMoved) return;
    this.log.info({ kekId: this.root.active.id, version: this.version }, 'every key is wrapped by the present key-encryption key; the one before may be destroyed');
  }

  // A replica that was not told of a newer key-encryption key leaves what that one wraps alone.
  private present(): PresentRoot {
    return { kekId: this.root.active.id, kekVersion: this.version, openable: this.root.ids };
  }

  private async rewrap(tx: Transaction, key: WrappedKey): Promise<boolean> {
    try {
      const bytes = await this.root.unwrap(key);
      const wrapped = await this.root.wrap(bytes, key).finally(() => bytes.fill(0));
      // Somebody else's newer wrapping stays as it is.
      await replaceWrapped(tx, key, wrapped);
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.log.error({ err: error, key: key.id }, 'a key could not be re-wrapped');
      return false;
    }
  }
}
