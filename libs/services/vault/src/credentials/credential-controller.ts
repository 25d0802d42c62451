import { Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { EntryKeys } from '../keys/entry-keys.js';
import { Credentials, type CredentialLease } from './credentials.js';

type Input<C extends { request: z.ZodType }> = z.output<C['request']>;

/** Answers for the secrets of identities. */
@Controller()
export class CredentialController {
  constructor(
    private readonly credentials: Credentials,
    private readonly entryKeys: EntryKeys,
  ) {}

  /** The key that secrets are sealed to where they enter. */
  @Serves(vaultContracts.getEntryKey)
  entryKey(_input: Input<typeof vaultContracts.getEntryKey>): Promise<{ keyId: string; publicKey: string }> {
    return this.entryKeys.active();
  }

  /** Stores the next version. */
  @Serves(vaultContracts.storeCredential)
  async store({ fields, ...credential }: Input<typeof vaultContracts.storeCredential>): Promise<{ version: number }> {
    return { version: await this.credentials.store(credential, fields) };
  }

  /** Leases to one edge. */
  @Serves(vaultContracts.leaseCredential)
  lease({ edgeKey, ...binding }: Input<typeof vaultContracts.leaseCredential>): Promise<CredentialLease> {
    return this.credentials.lease(binding, edgeKey);
  }

  /** Gives to another owner. */
  @Serves(vaultContracts.transferCredential)
  async transfer(asked: Input<typeof vaultContracts.transferCredential>): Promise<{ version: number }> {
    return { version: await this.credentials.transfer(asked) };
  }

  /** Destroys every version. */
  @Serves(vaultContracts.destroyCredential)
  async destroy({ identityId }: Input<typeof vaultContracts.destroyCredential>): Promise<{ destroyed: boolean }> {
    return { destroyed: await this.credentials.destroy(identityId) };
  }
}
