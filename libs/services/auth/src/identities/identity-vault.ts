import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, sealTo, Secret } from '@gatehouse/kernel';
import { leasedSecret } from '../sign-in/leased-secret.js';
import type { KeptRefresh, UpstreamTokens } from '../upstreams/upstream-tokens.js';
import type { IdentityRow } from './identity-rows.js';

const PURPOSE = 'upstream-refresh-token';
const HEADER = 'Authorization';
const BEARER = Buffer.from('Bearer ');
const DPOP = Buffer.from('DPoP ');
// No refresh token has one in it (RFC 6749 appendix A.17).
const BREAK = Buffer.from('\n');

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

  /** Stores an access token as the header line it is sent in, with the key it is bound to; the version is what edges are told apart by. */
  async storeAccess(binding: Binding, { accessToken, dpopKey, expiresAt }: Pick<UpstreamTokens, 'accessToken' | 'dpopKey' | 'expiresAt'>): Promise<number> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const sealed = (name: string, value: Buffer) => ({ name, sealed: sealTo(publicKey, value, vaultContracts.entryContext(binding.id, name)) });
    const line = accessToken.use((bytes) => Buffer.concat([dpopKey === null ? BEARER : DPOP, bytes]));
    try {
      const key = dpopKey === null ? [] : [dpopKey.use((bytes) => sealed(vaultContracts.DPOP_KEY_FIELD, bytes))];
      return await this.store(binding, [sealed(HEADER, line), ...key], expiresAt);
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

  /** Keeps a refresh token under an id of its own, in one piece with the key that its tokens are bound to: neither is worth anything without the other. */
  async keepRefreshToken(secretId: string, { refreshToken, dpopKey }: KeptRefresh): Promise<void> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const key = dpopKey === null ? [] : [dpopKey.use((bytes) => Buffer.from(bytes)), BREAK];
    const whole = refreshToken.use((bytes) => Buffer.concat([...key, bytes]));
    try {
      const sealed = sealTo(publicKey, whole, vaultContracts.serviceSecretContext(secretId));
      await this.bus.request(vaultContracts.storeAuthSecret, { secretId, purpose: PURPOSE, sealed });
    } finally {
      whole.fill(0);
      key[0]?.fill(0);
    }
  }

  /** What is kept under an id, or undefined when there is nothing; the caller wipes it (`wipeKept`). */
  async refreshToken(secretId: string): Promise<KeptRefresh | undefined> {
    const whole = await leasedSecret(this.bus, this.pair, secretId);
    if (whole === undefined) return undefined;
    const end = whole.indexOf(BREAK);
    if (end === -1) return { refreshToken: Secret.of(whole), dpopKey: null };
    const kept = { refreshToken: Secret.of(Buffer.from(whole.subarray(end + 1))), dpopKey: Secret.of(Buffer.from(whole.subarray(0, end))) };
    whole.fill(0);
    return kept;
  }

  /** Destroys a refresh token; twice is fine. */
  async forgetRefreshToken(secretId: string): Promise<void> {
    await this.bus.request(vaultContracts.destroyAuthSecret, { secretId });
  }

  private async store({ id: identityId, serverId, origin, owner }: Binding, fields: { name: string; sealed: string }[], expiresAt: number | null): Promise<number> {
    return (await this.bus.request(vaultContracts.storeCredential, { identityId, serverId, origin, owner, fields, expiresAt })).version;
  }
}

/** Overwrites what was kept. */
export function wipeKept(kept: KeptRefresh | undefined): void {
  kept?.refreshToken.wipe();
  kept?.dpopKey?.wipe();
}
