import { publicKeyOf, type KeyPurpose } from './key-purposes.js';
import type { KeyStore, WrappedKey } from './key-store.js';

/** Purposes whose older keys must still open what they sealed. */
export type SymmetricPurpose = Extract<KeyPurpose, 'session' | 'digest' | 'auth-secret'>;

/** Purposes whose private key signs snapshots. */
export type SigningPurpose = Extract<KeyPurpose, 'policy-signing' | 'directory-signing'>;

/** One key on its way to the instance that asked. */
export interface LeasedKey {
  id: string;
  sealed: string;
}

/** Hands the services their keys, sealed to the asking instance. */
export class ServiceKeys {
  constructor(private readonly store: KeyStore) {}

  /** The active key first, then the retired ones, which still open what they sealed. */
  async leaseAll(purpose: SymmetricPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return (await this.store.list(purpose)).map((key) => this.seal(key, instanceKey));
  }

  /** The active signing key only: nothing new may be signed with a retired one. */
  async leaseActive(purpose: SigningPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return [this.seal(await this.store.active(purpose), instanceKey)];
  }

  /** Public keys (SPKI DER, base64url) that verify, the active one first. */
  async verificationKeys(purpose: SigningPurpose): Promise<{ id: string; publicKey: string }[]> {
    const keys = await this.store.list(purpose);
    return keys.map((key) => ({ id: key.id, publicKey: this.store.lend(key, publicKeyOf).toString('base64url') }));
  }

  private seal(key: WrappedKey, instanceKey: string): LeasedKey {
    return { id: key.id, sealed: this.store.seal(key, instanceKey) };
  }
}
