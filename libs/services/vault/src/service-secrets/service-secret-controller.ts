import { Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ServiceSecrets } from './service-secrets.js';

type Input<C extends { request: z.ZodType }> = z.output<C['request']>;

// The subject names the owner: the bus lets only that service ask, and no request can name another one.
const OWNER = 'auth';

/** Answers for the secrets of auth. */
@Controller()
export class ServiceSecretController {
  constructor(private readonly secrets: ServiceSecrets) {}

  /** Stores the next version. */
  @Serves(vaultContracts.storeAuthSecret)
  async store({ secretId, ...arriving }: Input<typeof vaultContracts.storeAuthSecret>): Promise<{ version: number }> {
    return { version: await this.secrets.store({ owner: OWNER, secretId }, arriving) };
  }

  /** Leases to one instance. */
  @Serves(vaultContracts.leaseAuthSecret)
  lease({ secretId, instanceKey }: Input<typeof vaultContracts.leaseAuthSecret>): Promise<{ sealed: string; version: number }> {
    return this.secrets.lease({ owner: OWNER, secretId }, instanceKey);
  }

  /** Destroys every version. */
  @Serves(vaultContracts.destroyAuthSecret)
  async destroy({ secretId }: Input<typeof vaultContracts.destroyAuthSecret>): Promise<{ destroyed: boolean }> {
    return { destroyed: await this.secrets.destroy({ owner: OWNER, secretId }) };
  }
}
