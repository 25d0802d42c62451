import { systemClock, type Clock } from '@gatehouse/kernel';
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

/** A public key that verifies, SPKI DER in base64url. */
export interface VerificationKey {
  id: string;
  publicKey: string;
}

// A statement about a call lives a minute; the rest is for edges that hear of a rotation late.
const STATEMENTS_VERIFY_MS = 60 * 60 * 1_000;

/** Hands the services their keys, sealed to the asking instance. */
export class ServiceKeys {
  constructor(
    private readonly store: KeyStore,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The active key first, then the next one, which others may seal with already, then the retired ones, which still open what they sealed. */
  async leaseAll(purpose: SymmetricPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return Promise.all((await this.store.needed(purpose)).map((key) => this.seal(key, instanceKey)));
  }

  /** The active signing key only: nothing new may be signed with a retired one. */
  async leaseActive(purpose: SigningPurpose, instanceKey: string): Promise<LeasedKey[]> {
    return [await this.seal(await this.store.active(purpose), instanceKey)];
  }

  /** Public keys that verify snapshots, the active one first. */
  async verificationKeys(purpose: Exclude<SigningPurpose, 'call-signing'>): Promise<VerificationKey[]> {
    return this.publicHalves(await this.store.needed(purpose));
  }

  /** Public keys that verify statements about calls: the active one, the next one, which verifiers shall know before it signs, and the lately retired. */
  async callKeys(): Promise<VerificationKey[]> {
    const since = this.clock.now() - STATEMENTS_VERIFY_MS;
    // A key retired by hand has no time: it is not listed.
    const listed = (await this.store.needed('call-signing')).filter(({ state, retiredAt }) => state !== 'retired' || (retiredAt ?? 0) > since);
    return this.publicHalves(listed);
  }

  private publicHalves(keys: readonly WrappedKey[]): Promise<VerificationKey[]> {
    return Promise.all(keys.map(async (key) => ({ id: key.id, publicKey: (await this.store.lend(key, publicKeyOf)).toString('base64url') })));
  }

  private async seal(key: WrappedKey, instanceKey: string): Promise<LeasedKey> {
    return { id: key.id, sealed: await this.store.seal(key, instanceKey) };
  }
}
