import { Serves } from '@gatehouse/bus';
import { identityContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Identities, type ChangedIdentity, type NewHeaders, type Which } from './identities.js';
import type { SealedHeader } from './identity-vault.js';
import { ObtainedIdentities, type Obtained } from './obtained-identities.js';
import type { RefreshAnswer, RefreshQuestion } from './refresh-outcome.js';
import { Refreshes } from './refreshes.js';

/** Answers for identities. */
@Controller()
export class IdentitiesController {
  constructor(
    private readonly identities: Identities,
    private readonly refreshes: Refreshes,
    private readonly obtained: ObtainedIdentities,
  ) {}

  /** Of one owner or all, of one server or all. */
  @Serves(identityContracts.listIdentities)
  async list(wanted: Parameters<Identities['list']>[0]): Promise<{ items: identityContracts.Identity[] }> {
    return { items: await this.identities.list(wanted) };
  }

  /** Stores headers as an identity. */
  @Serves(identityContracts.createIdentity)
  create(asked: NewHeaders): Promise<ChangedIdentity> {
    return this.identities.create(asked);
  }

  /** Puts new headers in place. */
  @Serves(identityContracts.replaceIdentityHeaders)
  replaceHeaders(asked: Which & { headers: readonly SealedHeader[] }): Promise<ChangedIdentity> {
    return this.identities.replaceHeaders(asked);
  }

  /** Uses this one where there are several. */
  @Serves(identityContracts.preferIdentity)
  prefer(which: Which): Promise<ChangedIdentity> {
    return this.identities.prefer(which);
  }

  /** Makes it the organisation's. */
  @Serves(identityContracts.shareIdentity)
  share(which: Which): Promise<ChangedIdentity> {
    return this.identities.share(which);
  }

  /** Takes it away. */
  @Serves(identityContracts.removeIdentity)
  remove(which: Which): Promise<ChangedIdentity> {
    return this.identities.remove(which);
  }

  /** A token is about to end, has ended, or was refused. */
  @Serves(identityContracts.refreshIdentity)
  refresh(question: RefreshQuestion): Promise<RefreshAnswer> {
    return this.refreshes.ask(question);
  }

  /** An identity that nobody has to connect. */
  @Serves(identityContracts.obtainIdentity)
  obtain(asked: { serverId: string; personId: string }): Promise<Obtained> {
    return this.obtained.obtain(asked);
  }

  /** A server is gone. */
  @Serves(identityContracts.forgetUpstream)
  forget({ serverId }: { serverId: string }): Promise<{ identities: number; directory: SnapshotVersion }> {
    return this.identities.forget(serverId);
  }
}
