import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Fault, newSealingKeyPair, openSealed } from '@gatehouse/kernel';

interface SigningKey {
  id: string;
  key: KeyObject;
  /** By the monotonic clock (ms). */
  leasedAt: number;
}

/** A key that was rotated in the vault signs on for at most so long. */
const AGAIN_MS = 60_000;

/** The lease of the key that one kind of snapshot is signed with, and the purpose its sealed box names. */
export interface SigningLease {
  contract: typeof vaultContracts.leasePolicySigningKey;
  purpose: string;
}

/** Signs snapshots with the key that the vault leases to this instance. */
export class SnapshotSigner {
  private readonly pair = newSealingKeyPair();
  private leased: SigningKey | undefined;
  private leasing: Promise<SigningKey> | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly signingLease: SigningLease,
  ) {}

  /** Whether a key is here: without one no snapshot leaves. */
  get ready(): boolean {
    return this.leased !== undefined;
  }

  /** Ed25519 (RFC 8032) over the text's UTF-8 bytes, base64url. Refuses like the bus while the vault is not there. */
  async sign(text: string): Promise<{ keyId: string; signature: string }> {
    const { id, key } = await this.current();
    return { keyId: id, signature: sign(null, Buffer.from(text, 'utf8'), key).toString('base64url') };
  }

  // While the vault is away the key at hand signs on: edges verify it as they did.
  private async current(): Promise<SigningKey> {
    const held = this.leased;
    if (held === undefined) return this.lease();
    if (performance.now() - held.leasedAt < AGAIN_MS) return held;
    return this.lease().catch(() => {
      this.leased = { ...held, leasedAt: performance.now() };
      return held;
    });
  }

  // One lease under way serves everyone who waits; a failed one is asked for again by the next signature.
  private lease(): Promise<SigningKey> {
    this.leasing ??= this.fetch().finally(() => (this.leasing = undefined));
    return this.leasing;
  }

  private async fetch(): Promise<SigningKey> {
    const { keys } = await this.bus.request(this.signingLease.contract, { instanceKey: this.pair.publicKey });
    const [active] = keys;
    if (active === undefined) throw new Fault('the vault leased no signing key');
    this.leased = { id: active.id, key: this.open(active), leasedAt: performance.now() };
    return this.leased;
  }

  private open({ id, sealed }: { id: string; sealed: string }): KeyObject {
    const der = openSealed(this.pair, sealed, vaultContracts.keyContext(this.signingLease.purpose, id));
    try {
      return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    } finally {
      der.fill(0);
    }
  }
}
