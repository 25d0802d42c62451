import { createPrivateKey, createPublicKey } from 'node:crypto';
import { openSealed, rawPublicKey, type SealingKeyPair } from '@gatehouse/kernel';
import type { WrappedKey } from './key-rows.js';
import type { KeyStore } from './key-store.js';

/** The key pairs that secrets are sealed to where they enter. */
export class EntryKeys {
  constructor(private readonly store: KeyStore) {}

  /** Id and raw public key (base64url) of the active pair. */
  async active(): Promise<{ keyId: string; publicKey: string }> {
    const key = await this.store.active('entry');
    return { keyId: key.id, publicKey: (await this.pair(key)).publicKey };
  }

  /** The pairs a box may have been sealed to: the active one, then those it replaced. */
  async pairs(): Promise<SealingKeyPair[]> {
    return Promise.all((await this.store.needed('entry')).map((key) => this.pair(key)));
  }

  private pair(key: WrappedKey): Promise<SealingKeyPair> {
    return this.store.lend(key, (bytes) => {
      const privateKey = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
      return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
    });
  }
}

/** Opens a box with the first pair that fits; undefined when none does. The caller wipes the result. */
export function openEntryBox(pairs: readonly SealingKeyPair[], sealed: string, context: string): Buffer | undefined {
  for (const pair of pairs) {
    const opened = tryOpen(pair, sealed, context);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

function tryOpen(pair: SealingKeyPair, sealed: string, context: string): Buffer | undefined {
  try {
    return openSealed(pair, sealed, context);
  } catch {
    // Sealed to another pair, for another field, or not a box: one answer for all.
    return undefined;
  }
}
