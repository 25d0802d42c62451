import { Serves } from '@gatehouse/bus';
import { signInContracts, type Actor } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { LocalAccounts } from './local-accounts.js';

/** Answers for people without an identity provider. */
@Controller()
export class LocalAccountsController {
  constructor(private readonly accounts: LocalAccounts) {}

  /** Makes a one-time link. */
  @Serves(signInContracts.createSignInLink)
  createLink({ actor, personId, edgeKey }: { actor: Actor; personId: string; edgeKey: string }): Promise<{ sealedPath: string; expiresAt: number }> {
    return this.accounts.createLink(actor, personId, edgeKey);
  }
}
