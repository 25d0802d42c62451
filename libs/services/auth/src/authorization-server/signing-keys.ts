import { createHmac, createPrivateKey, hkdfSync } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Fault, newSealingKeyPair, openSealed, Refusal } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
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

const MOST_RACES = 5;

/**
 * The keys access tokens are signed with: kept by the vault, leased to this instance, and told to the
 * edges by the directory before they sign anything.
 */
export class SigningKeys {
  private readonly pair = newSealingKeyPair();
  private ring: KeyRing | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly db: Database,
    private readonly changes: DirectoryChanges,
  ) {}

  /** The keys at hand, or undefined until the vault was reached. */
  get current(): KeyRing | undefined {
    return this.ring;
  }

  /** Leases the keys; true when they are not those held before. The public halves are in the directory before this resolves. */
  async load(): Promise<boolean> {
    return (await this.takeOver()).changed;
  }

  /**
   * What the key that signs here is to the edges now: another replica may have rotated a moment ago.
   * Undefined: they do not know it (any more).
   */
  async stateOfActive(): Promise<PublicSigningKey['state'] | undefined> {
    const [row] = await this.db.query<Pick<PublicSigningKey, 'state'>>('SELECT state FROM signing_keys WHERE id = $1', [this.ring?.active.kid]);
    return row?.state;
  }

  /**
   * Signs with the next key from now on. Edges hold it since it was made, so nothing is refused; with
   * `retireNow` they forget the old one at once. Refuses with `service_unavailable` before the first
   * lease, with `conflict` when another replica was first.
   */
  async rotate(retireNow: boolean): Promise<SnapshotVersion> {
    const [active] = this.ring?.keys ?? [];
    if (active === undefined) throw new Refusal('service_unavailable');
    const { rotated } = await this.bus.request(vaultContracts.rotateTokenSigningKey, { expectedActive: active.id, retireNow });
    const { directory } = await this.takeOver();
    if (!rotated) throw new Refusal('conflict', { reason: 'rotated_meanwhile' });
    return directory;
  }

  // A list that was leased before another replica published a newer one must not bring a lost key back into the directory.
  private async takeOver(): Promise<{ changed: boolean; directory: SnapshotVersion }> {
    for (let race = 0; race < MOST_RACES; race++) {
      const before = await publishedKeys(this.db);
      const leased = await this.fetch();
      const directory = await this.publish(leased.keys.map(({ sealed: _private, ...key }) => key), before);
      if (directory === undefined) continue;
      const held = JSON.stringify(this.ring?.keys);
      this.ring = await this.ringOf(leased);
      return { changed: held !== JSON.stringify(this.ring.keys), directory };
    }
    throw new Refusal('conflict', { reason: 'rotated_meanwhile' });
  }

  private async publish(keys: readonly PublicSigningKey[], before: string): Promise<SnapshotVersion | undefined> {
    const { result, directory } = await this.changes.apply(async (tx) => {
      if ((await publishedKeys(tx)) !== before) return { result: false, changed: false };
      return { result: true, changed: await replaceKeys(tx, keys, before) };
    });
    return result ? directory : undefined;
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
async function replaceKeys(tx: Transaction, keys: readonly PublicSigningKey[], before: string): Promise<boolean> {
  if (before === spelled(keys)) return false;
  await tx.query('DELETE FROM signing_keys');
  for (const { id, state, publicJwk, retiredAt } of keys) {
    await tx.query('INSERT INTO signing_keys (id, state, public_jwk, retired_at) VALUES ($1, $2, $3, $4)', [id, state, publicJwk, retiredAt]);
  }
  return true;
}

async function publishedKeys(db: Transaction): Promise<string> {
  return spelled(await db.query<Pick<PublicSigningKey, 'id' | 'state'>>('SELECT id, state FROM signing_keys'));
}

function spelled(keys: readonly Pick<PublicSigningKey, 'id' | 'state'>[]): string {
  return keys.map(({ id, state }) => `${id} ${state}`).sort().join();
}
