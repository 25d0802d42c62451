import { publicKeyOf, type KeyPurpose } from './key-purposes.js';
import type { WrappedKey } from './key-rows.js';
import type { KeyStore } from './key-store.js';

/** Purposes whose older keys must still open what they sealed. */
export type SymmetricPurpose = Extract<KeyPurpose, 'session' | 'digest' | 'auth-secret'>;

/** Purposes whose private key signs snapshots or statements about calls. */
export type SigningPurpose = Extract<KeyPurpose, 'policy-signing' | 'directory-signing' | 'call-signing'>;

/** One key on its way to the instance that asked. */
export interface LeasedKey {
  id: string;
  sealed: string;
}

/** Hands the services their keys, sealed to the asking instance. */
export class ServiceKeys {
  constructor(private readonly store: KeyStore) {}

  /** The active key first, then the next one, which others may seal with already, then the retired ones, which still open what they sealed. */
  async leaseAll(purpose: SymmetricPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return Promise.all((await this.store.needed(purpose)).map((key) => this.seal(key, instanceKey)));
  }

  /** The active signing key only: nothing new may be signed with a retired one. */
  async leaseActive(purpose: SigningPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return [await this.seal(await this.store.active(purpose), instanceKey)];
  }

  /** Public keys (SPKI DER, base64url) that verify, the active one first. */
  async verificationKeys(purpose: SigningPurpose): Promise<{ id: string; publicKey: string }[]> {
    const keys = await this.store.needed(purpose);
    return Promise.all(keys.map(async (key) => ({ id: key.id, publicKey: (await this.store.lend(key, publicKeyOf)).toString('base64url') })));
  }

  private async seal(key: WrappedKey, instanceKey: string): Promise<LeasedKey> {
    return { id: key.id, sealed: await this.store.seal(key, instanceKey) };
  }
}
