import { Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ServiceKeys, type LeasedKey } from './service-keys.js';
import { TokenSigningKeys, type LeasedTokenKey, type PublicTokenKey } from './token-signing-keys.js';

interface KeyRequest {
  instanceKey: string;
}

interface KeyReply {
  keys: LeasedKey[];
}

/** Answers for the keys of the other services. */
@Controller()
export class KeyController {
  constructor(
    private readonly keys: ServiceKeys,
    private readonly tokenKeys: TokenSigningKeys,
  ) {}

  /** For sealing session ids. */
  @Serves(vaultContracts.leaseSessionKey)
  async session({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseAll('session', instanceKey) };
  }

  /** For the digests in records. */
  @Serves(vaultContracts.leaseDigestKey)
  async digest({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseAll('digest', instanceKey) };
  }

  /** For signing policy snapshots. */
  @Serves(vaultContracts.leasePolicySigningKey)
  async policySigning({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseActive('policy-signing', instanceKey) };
  }

  /** For signing the directory. */
  @Serves(vaultContracts.leaseDirectorySigningKey)
  async directorySigning({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseActive('directory-signing', instanceKey) };
  }

  /** For signing statements about calls. */
  @Serves(vaultContracts.leaseCallSigningKey)
  async callSigning({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseActive('call-signing', instanceKey) };
  }

  /** For auth's cookies and nonces. */
  @Serves(vaultContracts.leaseAuthSecretKey)
  async authSecret({ instanceKey }: KeyRequest): Promise<KeyReply> {
    return { keys: await this.keys.leaseAll('auth-secret', instanceKey) };
  }

  /** For signing access tokens. */
  @Serves(vaultContracts.leaseTokenSigningKeys)
  async tokenSigning({ instanceKey }: KeyRequest): Promise<{ keys: LeasedTokenKey[] }> {
    return { keys: await this.tokenKeys.lease(instanceKey) };
  }

  /** Replaces the key that signs access tokens. */
  @Serves(vaultContracts.rotateTokenSigningKey)
  rotateTokenSigning(rotation: z.output<typeof vaultContracts.rotateTokenSigningKey.request>): Promise<{ rotated: boolean; keys: PublicTokenKey[] }> {
    return this.tokenKeys.rotate(rotation);
  }

  /** For verifying snapshots of policy and of the directory, and statements about calls. */
  @Serves(vaultContracts.listVerificationKeys)
  async verification(): Promise<z.input<typeof vaultContracts.listVerificationKeys.reply>> {
    const [policy, directory, calls] = await Promise.all([
      this.keys.verificationKeys('policy-signing'),
      this.keys.verificationKeys('directory-signing'),
      this.keys.callKeys(),
    ]);
    return { policy, directory, calls };
  }
}
