import type { vaultContracts } from '@gatehouse/contracts';
import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import { publicJwkOf } from './key-purposes.js';
import type { WrappedKey } from './key-rows.js';
import type { KeyStore, Rotation } from './key-store.js';

/** A key as anybody may see it. */
export type PublicTokenKey = vaultContracts.TokenSigningKey;

/** A key on its way to an instance of auth. */
export type LeasedTokenKey = z.output<typeof vaultContracts.leaseTokenSigningKeys.reply>['keys'][number];

// An access token lives an hour; the rest is for replicas and edges that hear of a rotation late.
const VERIFIES_MS = 2 * 60 * 60 * 1_000;

/** The ES256 keys of access tokens: published before they sign, and for a while after. */
export class TokenSigningKeys {
  constructor(
    private readonly store: KeyStore,
    private readonly log: Logger,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The active, the next and the lately retired keys; a retired one's private half stays here. */
  async lease(instanceKey: string): Promise<LeasedTokenKey[]> {
    const keys = await this.listed();
    return Promise.all(keys.map(async (key) => ({ ...(await this.shown(key)), sealed: key.state === 'retired' ? null : await this.store.seal(key, instanceKey) })));
  }

  /** Replaces the active key unless somebody else has done so, and tells what there is now. */
  async rotate(rotation: Rotation): Promise<{ rotated: boolean; keys: PublicTokenKey[] }> {
    const rotated = await this.store.rotate('token-signing', rotation);
    const keys = await Promise.all((await this.listed()).map((key) => this.shown(key)));
    if (rotated) this.log.info({ replaced: rotation.expectedActive, retiredNow: rotation.retireNow, active: keys[0]?.id }, 'token signing key rotated');
    return { rotated, keys };
  }

  private async listed(): Promise<WrappedKey[]> {
    const since = this.clock.now() - VERIFIES_MS;
    // A key retired by hand has no time: it is not listed.
    return (await this.store.needed('token-signing')).filter(({ state, retiredAt }) => state !== 'retired' || (retiredAt ?? 0) > since);
  }

  private async shown(key: WrappedKey): Promise<PublicTokenKey> {
    const { id, state, retiredAt } = key;
    return { id, state, publicJwk: await this.store.lend(key, publicJwkOf), retiredAt };
  }
}
