import type { accessContracts, Actor, SnapshotVersion } from '@gatehouse/contracts';
import { newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { deny, endGrants } from '../authorization-server/end-grants.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { disableCaller } from '../people/disable-caller.js';
import { refuseUnknownRoles } from '../roles/known-roles.js';
import { refuseMoreThanHeld, refuseStronger } from '../roles/refuse-more-than-held.js';
import { addMissingTeams } from '../teams/team-rows.js';
import { grantIdOf, newProof, removeClient, writeClient, type NewProof, type WantedAuth } from './service-account-client.js';
import {
  allServiceAccounts,
  asShown,
  findServiceAccount,
  insertServiceAccount,
  isNameTaken,
  nextGeneration,
  type ServiceAccountRow,
} from './service-account-rows.js';

type ServiceAccount = accessContracts.ServiceAccount;

/** What a service account is asked for with; `edgeKey` is who is shown its secret. */
export type NewServiceAccount = Pick<ServiceAccount, 'name' | 'roles' | 'teams'> & { auth: WantedAuth; edgeKey: string };

/** How an account is to prove itself from now on. */
export interface NewAuth {
  id: string;
  auth: WantedAuth;
  edgeKey: string;
}

/** A service account after a change, and the directory from which it holds. */
export interface ChangedAccount {
  serviceAccount: ServiceAccount;
  directory: SnapshotVersion;
}

/** The same with a secret, sealed to the edge; null for none. */
export type ChangedProof = ChangedAccount & { sealedSecret: string | null };

/** What `ServiceAccounts` works with. */
export interface ServiceAccountsParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/**
 * Callers that are no people. Each proves itself at the token endpoint as the OAuth client of its
 * own id. Access tokens carry the generation of the proof in their grant: with a new proof the old
 * tokens are denied. `capability_missing` as for people.
 */
export class ServiceAccounts {
  private readonly clock: Clock;

  constructor(private readonly parts: ServiceAccountsParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** All, the disabled too. */
  list(): Promise<ServiceAccount[]> {
    return allServiceAccounts(this.parts.db);
  }

  /** Adds a service account. Refuses with `conflict` a taken name, with `bad_request` an unknown role and bad keys. */
  async create(by: Actor, { name, roles, teams, auth, edgeKey }: NewServiceAccount): Promise<ChangedProof> {
    const row = { id: newId('service_account', this.clock), name, roles: [...new Set(roles)], teams: [...new Set(teams)], createdAt: this.clock.now() };
    const made = newProof(row.id, auth, edgeKey);
    const { result, directory } = await this.parts.changes.apply(async (tx) => {
      await refuseMoreThanHeld(tx, by, row);
      await refuseUnknownRoles(tx, row.roles);
      if (await isNameTaken(tx, name)) throw new Refusal('conflict', { field: 'name' });
      await addMissingTeams(tx, row.teams, row.createdAt);
      await insertServiceAccount(tx, row);
      return { result: await this.prove(tx, row, made), changed: true };
    });
    this.parts.log.info({ actorId: by.callerId, serviceAccountId: row.id, auth: auth.method }, 'service account created');
    return { serviceAccount: result, sealedSecret: made.sealedSecret, directory };
  }

  /** Replaces how it proves itself; the old proof and the access tokens it got stop at once. Refuses with `not_found` and `bad_request`. */
  async replaceAuth(by: Actor, { id, auth, edgeKey }: NewAuth): Promise<ChangedProof> {
    const made = newProof(id, auth, edgeKey);
    const { result, directory } = await this.parts.changes.apply(async (tx) => {
      const account = await existing(tx, id);
      await refuseStronger(tx, by, id);
      if (account.status === 'disabled') throw new Refusal('bad_request', { field: 'id', problem: 'is disabled' });
      await this.endTokens(tx, account);
      return { result: await this.prove(tx, account, made), changed: true };
    });
    this.parts.log.info({ actorId: by.callerId, serviceAccountId: id, auth: auth.method }, 'service account proves itself anew');
    return { serviceAccount: result, sealedSecret: made.sealedSecret, directory };
  }

  /** Disables it for good. Refuses with `not_found`; twice is fine. */
  async disable(by: Actor, id: string): Promise<ChangedAccount> {
    const { result, directory, changed } = await this.parts.changes.apply(async (tx) => {
      const account = await existing(tx, id);
      await refuseStronger(tx, by, id);
      if (account.status === 'disabled') return { result: asShown(account), changed: false };
      await this.endTokens(tx, account);
      await disableCaller(tx, id, this.clock.now());
      await removeClient(tx, id);
      return { result: asShown(await existing(tx, id)), changed: true };
    });
    if (changed) this.parts.log.info({ actorId: by.callerId, serviceAccountId: id }, 'service account disabled');
    return { serviceAccount: result, directory };
  }

  private async prove(tx: Transaction, { id, name }: Pick<ServiceAccount, 'id' | 'name'>, { proof, sealedSecret }: NewProof): Promise<ServiceAccount> {
    const nowMs = this.clock.now();
    const generation = await nextGeneration(tx, id, sealedSecret === null ? null : nowMs);
    await writeClient(tx, { id, name, generation, proof, nowMs });
    return asShown(await existing(tx, id));
  }

  private async endTokens(tx: Transaction, { id, generation }: ServiceAccountRow): Promise<void> {
    await deny(tx, grantIdOf(id, generation), this.clock.now());
    await endGrants(tx, { clientId: id }, this.clock.now());
  }
}

async function existing(tx: Transaction, id: string): Promise<ServiceAccountRow> {
  const account = await findServiceAccount(tx, id);
  if (account === undefined) throw new Refusal('not_found');
  return account;
}
