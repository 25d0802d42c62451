import { authContracts, type Actor, type signInContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { endGrants } from '../authorization-server/end-grants.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { refuseMoreThanHeld, type Given } from '../roles/refuse-more-than-held.js';
import type { ClientSecrets } from './client-secret.js';
import { ENVIRONMENT_PROVIDER, type EnvironmentProvider } from './environment-provider.js';
import { allProviders, deleteProvider, findProvider, saveProvider, teamsMappedTo, type ProviderRow, type ProviderSettings } from './identity-provider-rows.js';
import { endAllSessionsAt } from './login-session-rows.js';
import type { ProviderAddress, ProviderMetadataCache } from './provider-metadata.js';
import { tryProvider, type ProviderTrial } from './provider-trial.js';

type Wire = signInContracts.IdentityProvider;

/** A provider as it is put. */
export type PutProvider = ProviderSettings & { actor: Actor; name: string; secret: { secretId: string; sealed: string } | null };

/** What `IdentityProviders` works with. */
export interface IdentityProvidersParts {
  db: Database;
  changes: DirectoryChanges;
  secrets: ClientSecrets;
  metadata: ProviderMetadataCache;
  outbound: Outbound;
  environment: EnvironmentProvider | undefined;
  log: Logger;
  clock?: Clock;
}

/** `scim` names the groups that SCIM tells. */
const RESERVED = ['scim'];

/** Where people sign in, as administrators set it. */
export class IdentityProviders {
  private readonly clock: Clock;

  constructor(private readonly parts: IdentityProvidersParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** All of them; that of the environment first. */
  async list(): Promise<{ items: Wire[] }> {
    const { environment, db } = this.parts;
    const rows = (await allProviders(db)).map((row) => wireOf(row));
    if (environment === undefined) return { items: rows };
    const own: Wire = { ...environment.settings, name: ENVIRONMENT_PROVIDER, hasSecret: environment.secret !== undefined, managedBy: 'environment', createdAt: 0 };
    return { items: [own, ...rows.filter(({ name }) => name !== ENVIRONMENT_PROVIDER)] };
  }

  /**
   * Adds or replaces a provider. Whoever says where people prove who they are can be anybody that the
   * provider lets in: with linking by address or an administrator rule only who holds every capability
   * may, else only who holds what the teams give that its groups lead into. Refuses with `bad_request`,
   * `conflict` (the environment's; an issuer that another has), `capability_missing`, `url_refused`.
   */
  async put({ actor, name, secret, ...settings }: PutProvider): Promise<{ identityProvider: Wire; directory: SnapshotVersion }> {
    this.refuseName(name);
    this.refuseAddress(settings);
    // Stored before the row that names it: the other way round a failure would leave a provider without its secret.
    if (secret !== null) await this.parts.secrets.store(secret.secretId, secret.sealed);
    const { row, old, directory } = await this.save({ actor, name, secret, ...settings }).catch(async (error: unknown) => {
      if (secret !== null) await this.destroy(secret.secretId);
      throw error;
    });
    if (old !== undefined && old.secretId !== null) await this.destroy(old.secretId);
    this.parts.log.info({ actorId: actor.callerId, provider: name }, 'identity provider set');
    return { identityProvider: wireOf(row), directory };
  }

  private async save({ actor, name, secret, ...settings }: PutProvider): Promise<{ row: ProviderRow; old: ProviderRow | undefined; directory: SnapshotVersion }> {
    const { result, directory } = await this.parts.changes.apply(async (tx) => {
      const old = await findProvider(tx, name);
      await refuseTaken(tx, name, settings.issuer);
      await refuseBeyond(tx, actor, { name, settings }, old);
      const secretId = secret?.secretId ?? keptSecret(settings, old);
      const row: ProviderRow = { name, settings, secretId, createdAt: old?.createdAt ?? this.clock.now() };
      await saveProvider(tx, row);
      const isOther = old !== undefined && old.settings.issuer !== settings.issuer;
      if (isOther) await this.signOutAll(tx, name);
      return { result: { row, old }, changed: isOther };
    });
    return { ...result, directory };
  }

  /** Removes a provider: its sessions, the grants given in them and the groups it told are over. Refuses with `not_found` and `conflict` (the environment's). */
  async delete({ actor, name }: { actor: Actor; name: string }): Promise<{ directory: SnapshotVersion }> {
    this.refuseName(name);
    const { result: secretId, directory } = await this.parts.changes.apply(async (tx) => {
      const old = await findProvider(tx, name);
      if (old === undefined) throw new Refusal('not_found');
      await deleteProvider(tx, name);
      await this.signOutAll(tx, name);
      return { result: old.secretId, changed: true };
    });
    if (secretId !== null) await this.destroy(secretId);
    this.parts.log.info({ actorId: actor.callerId, provider: name }, 'identity provider deleted');
    return { directory };
  }

  /** Looks whether a provider can be used. Refuses with `url_refused`. */
  async test(address: ProviderAddress): Promise<ProviderTrial> {
    this.refuseAddress(address);
    return tryProvider(address, this.parts.metadata);
  }

  private refuseName(name: string): void {
    if (RESERVED.includes(name)) throw new Refusal('bad_request', { field: 'name', problem: 'is reserved' });
    if (name === ENVIRONMENT_PROVIDER && this.parts.environment !== undefined) throw new Refusal('conflict', { reason: 'set_by_environment' });
  }

  private refuseAddress({ issuer, allowPrivateNetwork }: ProviderAddress): void {
    this.parts.outbound.destination(issuer, { allowPrivateNetwork });
    // The library would take such a URL as the document's own and not compare the issuer.
    if (issuer.includes('/.well-known/') || new URL(issuer).search !== '') throw new Refusal('bad_request', { field: 'issuer', problem: 'is not an issuer' });
  }

  private async signOutAll(tx: Transaction, name: string): Promise<void> {
    await tx.query('DELETE FROM person_groups WHERE provider = $1', [name]);
    for (const loginSession of await endAllSessionsAt(tx, name)) await endGrants(tx, { loginSession }, this.clock.now());
  }

  // What no provider names any more; left over in the vault it harms nobody.
  private async destroy(secretId: string): Promise<void> {
    try {
      if ((await allProviders(this.parts.db)).some((row) => row.secretId === secretId)) return;
      await this.parts.secrets.destroy(secretId);
    } catch (error) {
      this.parts.log.warn({ err: error, secretId }, 'an unused client secret was left in the vault');
    }
  }
}

/** Everything by which a provider's word makes somebody somebody here. */
function trustOf({ issuer, clientId, claims, linkByEmail, administratorRule, provisioning }: ProviderSettings): string {
  const { name, email, groups } = claims;
  return JSON.stringify([issuer, clientId, name, email, groups, linkByEmail, administratorRule?.claim, administratorRule?.value, provisioning]);
}

async function refuseBeyond(tx: Transaction, actor: Actor, { name, settings }: Pick<ProviderRow, 'name' | 'settings'>, old: ProviderRow | undefined): Promise<void> {
  const isSame = old !== undefined && trustOf(old.settings) === trustOf(settings);
  if (isSame && (old.settings.enabled || !settings.enabled)) return;
  const isOpen = settings.linkByEmail || settings.administratorRule !== null;
  const given: Given = isOpen ? { capabilities: authContracts.CAPABILITIES } : { teams: await teamsMappedTo(tx, name) };
  await refuseMoreThanHeld(tx, actor, given);
}

async function refuseTaken(tx: Transaction, name: string, issuer: string): Promise<void> {
  const same = (await allProviders(tx)).find((row) => row.name !== name && row.settings.issuer === issuer);
  if (same !== undefined) throw new Refusal('conflict', { reason: 'issuer', provider: same.name });
}

// A secret is for the issuer it was made at: whoever names another would have it sent there.
function keptSecret(settings: ProviderSettings, old: ProviderRow | undefined): string | null {
  if (old === undefined || old.secretId === null) return null;
  const isSame = old.settings.issuer === settings.issuer && old.settings.clientId === settings.clientId;
  if (!isSame) throw new Refusal('bad_request', { field: 'secret', problem: 'must be given again for another issuer or client' });
  return old.secretId;
}

function wireOf({ name, settings, secretId, createdAt }: ProviderRow): Wire {
  return { ...settings, name, hasSecret: secretId !== null, managedBy: 'api', createdAt };
}
