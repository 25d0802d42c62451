import { Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ServiceKeys, type LeasedKey } from './service-keys.js';

interface KeyRequest {
  instanceKey: string;
}

interface KeyReply {
  keys: LeasedKey[];
}

/** Answers for the keys of the other services. */
@Controller()
export class KeyController {
  constructor(private readonly keys: ServiceKeys) {}

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

  /** For verifying both. */
  @Serves(vaultContracts.listVerificationKeys)
  async verification(): Promise<z.input<typeof vaultContracts.listVerificationKeys.reply>> {
    const [policy, directory] = await Promise.all([
      this.keys.verificationKeys('policy-signing'),
      this.keys.verificationKeys('directory-signing'),
    ]);
    return { policy, directory };
  }
}
