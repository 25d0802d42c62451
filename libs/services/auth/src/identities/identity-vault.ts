import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed, Refusal, sealTo, Secret } from '@gatehouse/kernel';
import type { IdentityRow } from './identity-rows.js';

const PURPOSE = 'upstream-refresh-token';
const HEADER = 'Authorization';
const SCHEME = Buffer.from('Bearer ');

/** A secret header as it came in: sealed to the vault's entry key under `entryContext`. */
export interface SealedHeader {
  name: string;
  sealed: string;
  lastFour: string | null;
}

/** What a credential belongs to. */
export type Binding = Pick<IdentityRow, 'id' | 'serverId' | 'origin' | 'owner'>;

/**
 * Where the secrets of identities are: access tokens and headers as the identity's credential, which
 * edges lease and auth cannot read back, and refresh tokens as secrets of auth's own. Refuses as the
 * vault does, or like the bus while it is not there.
 */
export class IdentityVault {
  private readonly pair = newSealingKeyPair();

  constructor(private readonly bus: Bus) {}

  /** Stores an access token as the header line it is sent in; the version is what edges are told apart by. */
  async storeAccess(binding: Binding, token: Secret, expiresAt: number | null): Promise<number> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const line = token.use((bytes) => Buffer.concat([SCHEME, bytes]));
    try {
      const sealed = sealTo(publicKey, line, vaultContracts.entryContext(binding.id, HEADER));
      return await this.store(binding, [{ name: HEADER, sealed }], expiresAt);
    } finally {
      line.fill(0);
    }
  }

  /** Stores headers as they came in. */
  storeHeaders(binding: Binding, headers: readonly SealedHeader[]): Promise<number> {
    return this.store(binding, headers.map(({ name, sealed }) => ({ name, sealed })), null);
  }

  /** Destroys what edges lease; twice is fine. */
  async destroy(identityId: string): Promise<void> {
    await this.bus.request(vaultContracts.destroyCredential, { identityId });
  }

  /** Gives the credential to another owner; twice is fine. */
  async transfer({ id: identityId, serverId, owner: from }: Binding, to: IdentityRow['owner']): Promise<number> {
    return (await this.bus.request(vaultContracts.transferCredential, { identityId, serverId, from, to })).version;
  }

  /** Keeps a refresh token under an id of its own. */
  async keepRefreshToken(secretId: string, token: Secret): Promise<void> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const sealed = token.use((bytes) => sealTo(publicKey, bytes, vaultContracts.serviceSecretContext(secretId)));
    await this.bus.request(vaultContracts.storeAuthSecret, { secretId, purpose: PURPOSE, sealed });
  }

  /** The refresh token under an id, or undefined when there is none; the caller wipes it. */
  async refreshToken(secretId: string): Promise<Secret | undefined> {
    const lease = await this.leased(secretId);
    if (lease === undefined) return undefined;
    return Secret.of(openSealed(this.pair, lease.sealed, vaultContracts.serviceSecretLeaseContext(secretId, lease.version)));
  }

  /** Destroys a refresh token; twice is fine. */
  async forgetRefreshToken(secretId: string): Promise<void> {
    await this.bus.request(vaultContracts.destroyAuthSecret, { secretId });
  }

  private async leased(secretId: string): Promise<{ sealed: string; version: number } | undefined> {
    try {
      return await this.bus.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: this.pair.publicKey });
    } catch (error) {
      if (error instanceof Refusal && error.code === 'credential_missing') return undefined;
      throw error;
    }
  }

  private async store({ id: identityId, serverId, origin, owner }: Binding, fields: { name: string; sealed: string }[], expiresAt: number | null): Promise<number> {
    return (await this.bus.request(vaultContracts.storeCredential, { identityId, serverId, origin, owner, fields, expiresAt })).version;
  }
}
