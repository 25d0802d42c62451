import { newId, systemClock, type Clock } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import {
  accountOf,
  accountToLink,
  insertAccount,
  isTaken,
  makeAdministrator,
  noteLogin,
  renameAccount,
  replaceGroups,
  someoneAdministers,
  type Account,
} from './account-rows.js';
import { claimIs } from './claims.js';
import type { Arrival } from './federation.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** Who was let in, and whether the directory shows something new. */
export interface Admitted {
  personId: string;
  name: string;
  changed: boolean;
}

/** Turns who arrived from a provider into one of our people. */
export class Accounts {
  constructor(
    private readonly log: Logger,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * The person of an arrival, with name, address, groups and the first administrator's role brought up
   * to date. Call it inside `DirectoryChanges.apply`. Refuses as `disabled` or `not_invited`, and then
   * nothing is written.
   */
  async admit(tx: Transaction, arrival: Arrival): Promise<Admitted> {
    const key = { issuer: arrival.provider.settings.issuer, subject: arrival.subject };
    const known = (await accountOf(tx, key)) ?? (await this.link(tx, arrival));
    if (known?.status === 'disabled') throw new SignInRefusal('disabled');
    const account = known ?? (await this.provision(tx, arrival));
    const isNewLogin = await noteLogin(tx, key, { personId: account.id, email: arrival.email ?? null, nowMs: this.clock.now() });
    const current = await this.rename(tx, account, arrival);
    const regrouped = arrival.groups !== undefined && (await replaceGroups(tx, account.id, arrival.provider.name, arrival.groups));
    const promoted = await this.promote(tx, account.id, arrival);
    const changed = isNewLogin || current !== account || regrouped || promoted;
    return { personId: account.id, name: current.name, changed };
  }

  private async link(tx: Transaction, { provider, email }: Arrival): Promise<Account | undefined> {
    if (!provider.settings.linkByEmail || email === undefined) return undefined;
    return accountToLink(tx, provider.settings.issuer, email);
  }

  private async provision(tx: Transaction, arrival: Arrival): Promise<Account> {
    if (arrival.provider.settings.provisioning === 'invited') throw new SignInRefusal('not_invited');
    const isFree = arrival.email !== undefined && !(await isTaken(tx, arrival.email, null));
    const account: Account = {
      id: newId('person', this.clock),
      name: arrival.name ?? arrival.email ?? 'Unnamed person',
      email: isFree ? arrival.email! : null,
      status: 'active',
      source: 'sign-in',
    };
    await insertAccount(tx, account, this.clock.now());
    this.log.info({ personId: account.id, provider: arrival.provider.name }, 'person came by sign-in');
    return account;
  }

  // SCIM is the company's own word about a person; a token does not overwrite it.
  private async rename(tx: Transaction, account: Account, arrival: Arrival): Promise<Account> {
    if (account.source === 'scim') return account;
    const name = arrival.name ?? account.name;
    const isNewAddress = arrival.email !== undefined && arrival.email.toLowerCase() !== account.email?.toLowerCase();
    const email = isNewAddress && !(await isTaken(tx, arrival.email!, account.id)) ? arrival.email! : account.email;
    if (name === account.name && email === account.email) return account;
    const renamed = { ...account, name, email };
    await renameAccount(tx, renamed);
    return renamed;
  }

  private async promote(tx: Transaction, personId: string, { provider, claims }: Arrival): Promise<boolean> {
    const rule = provider.settings.administratorRule;
    if (rule === null || !claimIs(claims, rule.claim, rule.value) || (await someoneAdministers(tx))) return false;
    await makeAdministrator(tx, personId);
    this.log.warn({ personId, provider: provider.name }, 'first administrator, by the rule of the identity provider');
    return true;
  }
}
