import { Serves } from '@gatehouse/bus';
import { signInContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { IdentityProviders, type PutProvider } from './identity-providers.js';
import type { ProviderAddress } from './provider-metadata.js';
import type { ProviderTrial } from './provider-trial.js';

/** Answers for identity providers. */
@Controller()
export class IdentityProviderController {
  constructor(private readonly providers: IdentityProviders) {}

  /** All of them. */
  @Serves(signInContracts.listIdentityProviders)
  list(): Promise<{ items: signInContracts.IdentityProvider[] }> {
    return this.providers.list();
  }

  /** Adds or replaces one. */
  @Serves(signInContracts.putIdentityProvider)
  put(asked: PutProvider): Promise<{ identityProvider: signInContracts.IdentityProvider; directory: SnapshotVersion }> {
    return this.providers.put(asked);
  }

  /** Removes one. */
  @Serves(signInContracts.deleteIdentityProvider)
  delete(asked: { actor: Actor; name: string }): Promise<{ directory: SnapshotVersion }> {
    return this.providers.delete(asked);
  }

  /** Looks whether one can be used. */
  @Serves(signInContracts.testIdentityProvider)
  test(address: ProviderAddress): Promise<ProviderTrial> {
    return this.providers.test(address);
  }
}
