import { createHmac, createPrivateKey, hkdfSync } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Fault, newSealingKeyPair, openSealed, Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { JWK } from 'oidc-provider';
import type { DirectoryChanges } from '../directory/directory-changes.js';

/** A key as everybody may see it. */
export type PublicSigningKey = vaultContracts.TokenSigningKey;

/** Keys of one moment: what signs, what is published, and what cookies and nonces are derived from. */
export interface KeyRing {
  /** The private key that signs now. */
  active: JWK;
  keys: readonly PublicSigningKey[];
  /** Keys of cookies, the active one first. */
  cookieKeys: string[];
  dpopNonceSecret: Buffer;
}

type LeasedKeys = Awaited<ReturnType<SigningKeys['fetch']>>;

/**
 * The keys access tokens are signed with: kept by the vault, leased to this instance, and told to the
 * edges by the directory before they sign anything.
 */
export class SigningKeys {
  private readonly pair = newSealingKeyPair();
  private ring: KeyRing | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly changes: DirectoryChanges,
  ) {}

  /** The keys at hand, or undefined until the vault was reached. */
  get current(): KeyRing | undefined {
    return this.ring;
  }

  /** Leases the keys; true when they are not those held before. The public halves are in the directory before this resolves. */
  async load(): Promise<boolean> {
    const leased = await this.fetch();
    await this.publish(leased.keys.map(({ sealed: _private, ...key }) => key));
    const before = this.ring?.keys;
    this.ring = await this.ringOf(leased);
    return JSON.stringify(before) !== JSON.stringify(this.ring.keys);
  }

  /**
   * Signs with the next key from now on. Edges hold it since it was made, so nothing is refused; with
   * `retireNow` they forget the old one at once. Refuses with `service_unavailable` before the first lease.
   */
  async rotate(retireNow: boolean): Promise<SnapshotVersion> {
    const [active] = this.ring?.keys ?? [];
    if (active === undefined) throw new Refusal('service_unavailable');
    const { keys } = await this.bus.request(vaultContracts.rotateTokenSigningKey, { expectedActive: active.id, retireNow });
    const directory = await this.publish(keys);
    await this.load();
    return directory;
  }

  private async publish(keys: readonly PublicSigningKey[]): Promise<SnapshotVersion> {
    const { directory } = await this.changes.apply(async (tx) => {
      const changed = await replaceKeys(tx, keys);
      return { result: undefined, changed };
    });
    return directory;
  }

  private fetch() {
    return this.bus.request(vaultContracts.leaseTokenSigningKeys, { instanceKey: this.pair.publicKey });
  }

  private async ringOf({ keys }: LeasedKeys): Promise<KeyRing> {
    const secret = await this.authSecret();
    return {
      active: this.privateJwk(keys[0]!),
      keys: keys.map(({ sealed: _private, ...key }) => key),
      cookieKeys: secret.map((bytes) => createHmac('sha256', bytes).update('gatehouse cookies').digest('base64url')),
      dpopNonceSecret: Buffer.from(hkdfSync('sha256', secret[0]!, '', 'gatehouse dpop nonces', 32)),
    };
  }

  private async authSecret(): Promise<Buffer[]> {
    const { keys } = await this.bus.request(vaultContracts.leaseAuthSecretKey, { instanceKey: this.pair.publicKey });
    return keys.map(({ id, sealed }) => openSealed(this.pair, sealed, vaultContracts.keyContext('auth-secret', id)));
  }

  private privateJwk({ id, sealed }: LeasedKeys['keys'][number]): JWK {
    if (sealed === null) throw new Fault('the vault leased no key that signs');
    const der = openSealed(this.pair, sealed, vaultContracts.keyContext('token-signing', id));
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
    der.fill(0);
    return { ...key, kid: id, alg: 'ES256', use: 'sig' } as JWK;
  }
}

// The order of the vault's list is its own; what edges hold is a set.
async function replaceKeys(tx: Transaction, keys: readonly PublicSigningKey[]): Promise<boolean> {
  const before = await tx.query<{ id: string; state: string }>('SELECT id, state FROM signing_keys ORDER BY id');
  const wanted = keys.map(({ id, state }) => ({ id, state })).sort((a, b) => (a.id < b.id ? -1 : 1));
  if (JSON.stringify(before) === JSON.stringify(wanted)) return false;
  await tx.query('DELETE FROM signing_keys');
  for (const { id, state, publicJwk, retiredAt } of keys) {
    await tx.query('INSERT INTO signing_keys (id, state, public_jwk, retired_at) VALUES ($1, $2, $3, $4)', [id, state, publicJwk, retiredAt]);
  }
  return true;
}
