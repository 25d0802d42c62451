import { Serves } from '@gatehouse/bus';
import { accessContracts, type Actor } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { ServiceAccounts, type ChangedAccount, type ChangedProof, type NewAuth, type NewServiceAccount } from './service-accounts.js';

/** Answers for service accounts. */
@Controller()
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccounts) {}

  /** All service accounts. */
  @Serves(accessContracts.listServiceAccounts)
  async list(): Promise<{ items: accessContracts.ServiceAccount[] }> {
    return { items: await this.accounts.list() };
  }

  /** Adds a service account. */
  @Serves(accessContracts.createServiceAccount)
  create({ actor, ...asked }: NewServiceAccount & { actor: Actor }): Promise<ChangedProof> {
    return this.accounts.create(actor, asked);
  }

  /** Changes how a service account proves itself. */
  @Serves(accessContracts.replaceServiceAccountAuth)
  replaceAuth({ actor, ...asked }: NewAuth & { actor: Actor }): Promise<ChangedProof> {
    return this.accounts.replaceAuth(actor, asked);
  }

  /** Disables a service account. */
  @Serves(accessContracts.disableServiceAccount)
  disable({ actor, id }: { actor: Actor; id: string }): Promise<ChangedAccount> {
    return this.accounts.disable(actor, id);
  }
}
