import type { Actor, identityContracts, SnapshotVersion, upstreamContracts } from '@gatehouse/contracts';
import { Refusal, requireHeaderNames, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { Change, DirectoryChanges } from '../directory/directory-changes.js';
import type { FindUpstream } from '../upstreams/find-upstream.js';
import type { ForgottenUpstreams } from '../upstreams/forgotten-upstreams.js';
import { ConnectedIdentities, UNFINISHED_MS, type Connected, type ConnectingParts } from './connected-identities.js';
import { needsNoSignIn } from './granted-access.js';
import type { IdentityEvents } from './identity-events.js';
import type { IdentityLeases } from './identity-leases.js';
import { findIdentity, identitiesOf, insertIdentity, ownerNames, setShownSecrets, shownIdentity, updateIdentity, type IdentityRow } from './identity-rows.js';
import type { IdentityVault, SealedHeader } from './identity-vault.js';
import { refuseInactiveOwner } from './owner.js';

type Identity = identityContracts.Identity;
type Upstream = upstreamContracts.UpstreamServer;

/** An identity after a change, and the directory from which it holds. */
export interface ChangedIdentity {
  identity: Identity;
  directory: SnapshotVersion;
}

/** Headers that become an identity. */
export interface NewHeaders {
  actor: Actor;
  identityId: string;
  serverId: string;
  owner: IdentityRow['owner'];
  name: string;
  headers: readonly SealedHeader[];
}

/** Which identity to change; `ownedBy` restricts it to that caller's: another's looks like none. */
export interface Which {
  actor: Actor;
  identityId: string;
  ownedBy: string | null;
}

/** What `Identities` works with. */
export interface IdentitiesParts extends ConnectingParts {
  db: Database;
  changes: DirectoryChanges;
  vault: IdentityVault;
  leases: IdentityLeases;
  events: IdentityEvents;
  findUpstream: FindUpstream;
  /** Ends what was kept to sign in at a server that is gone. */
  forgotten: Pick<ForgottenUpstreams, 'forget'>;
  log: Logger;
  clock: Clock;
  /** Told of a row whose secrets are to be destroyed now. */
  shred: (id: string) => Promise<void>;
}

const WAIT_MS = 8_000;

/** The accounts and headers that calls to servers carry; of secrets only what the vault is to do with them. */
export class Identities {
  private readonly connecting: ConnectedIdentities;

  constructor(private readonly parts: IdentitiesParts) {
    this.connecting = new ConnectedIdentities(parts);
  }

  /** Of one owner or all, of one server or all. */
  async list({ owner, server }: { owner: IdentityRow['owner'] | null; server: string | null }): Promise<Identity[]> {
    const rows = await identitiesOf(this.parts.db, { owner, serverName: server });
    const names = await ownerNames(this.parts.db, rows);
    return rows.map((row) => shownIdentity(row, names.get(row.owner) ?? null));
  }

  /** See `ConnectedIdentities.connected`. */
  async connected(connected: Connected): Promise<ChangedIdentity> {
    const { id } = await this.connecting.connected(connected);
    const { directory } = await this.parts.changes.apply(() => Promise.resolve({ result: undefined, changed: false }));
    return { identity: await this.shown(id), directory };
  }

  /** The scopes to ask for when an identity is connected anew: granted ones and those a server demanded. */
  async scopesToAsk(identityId: string): Promise<string[]> {
    const row = await findIdentity(this.parts.db, identityId);
    return [...new Set([...(row?.scopes ?? []), ...(row?.wantedScopes ?? [])])];
  }

  /**
   * Stores headers as an identity. Refuses with `unknown_server`, with `conflict` for a name or an id
   * that is taken, with `header_refused` for a header the server does not take, with `bad_request` for
   * an owner who is disabled, or as the vault does.
   */
  async create({ actor, identityId: id, serverId, owner, name, headers }: NewHeaders): Promise<ChangedIdentity> {
    const upstream = await this.upstream(serverId);
    refuseHeaders(upstream, headers);
    await this.freeName(this.parts.db, { owner, serverId, name });
    const row = { id, serverId, serverName: upstream.name, owner, name, method: 'headers' as const, origin: new URL(upstream.url).origin };
    const now = this.parts.clock.now();
    await insertIdentity(this.parts.db, { ...row, createdAt: now, shredAt: now + UNFINISHED_MS });
    const credentialVersion = await this.parts.vault.storeHeaders(row, headers);
    return this.change({ actor, identityId: id, ownedBy: null, done: 'identity stored', isNew: true }, async (tx) => {
      await refuseInactiveOwner(tx, owner);
      await this.freeName(tx, row, true);
      await updateIdentity(tx, id, { credentialVersion, hidden: false, shredAt: null });
      await this.showSecrets(tx, id, headers);
      return 'stored';
    });
  }

  /** Puts new headers in place of an identity's; it is active again, for the server's present origin. Refuses with `not_found`, `bad_request` for one that has no headers, or as `create` does. */
  async replaceHeaders({ headers, ...which }: Which & { headers: readonly SealedHeader[] }): Promise<ChangedIdentity> {
    const row = await this.owned(this.parts.db, which);
    if (row.method !== 'headers') throw new Refusal('bad_request', { field: 'identityId', problem: 'holds no headers' });
    if (row.status === 'revoked') throw new Refusal('not_found');
    const upstream = await this.upstream(row.serverId);
    refuseHeaders(upstream, headers);
    const origin = new URL(upstream.url).origin;
    const credentialVersion = await this.parts.vault.storeHeaders({ ...row, origin }, headers);
    return this.change({ ...which, done: 'identity replaced' }, async (tx) => {
      await updateIdentity(tx, row.id, { credentialVersion, origin, status: 'active', reason: null, refusedAt: null });
      await this.showSecrets(tx, row.id, headers);
      return 'stored';
    });
  }

  /** Uses this one where its owner has several. Refuses with `not_found`. */
  prefer(which: Which): Promise<ChangedIdentity> {
    return this.change({ ...which, done: 'identity preferred' }, async (tx, row) => {
      if (row.preferred) return undefined;
      await tx.query('UPDATE identities SET preferred = (id = $1) WHERE server_id = $2 AND owner = $3', [row.id, row.serverId, row.owner]);
      return 'stored';
    });
  }

  /**
   * Makes a private identity the organisation's. Refuses with `not_found`, with `conflict` when the
   * organisation has one by that name there or it was made of what is known of its owner, or as the vault does. Twice is fine.
   */
  async share(which: Which): Promise<ChangedIdentity> {
    const { id } = await this.owned(this.parts.db, which);
    // A refresh under way would store its token for the owner of before.
    const lease = await this.parts.leases.await(id, WAIT_MS);
    try {
      return await this.change({ ...which, done: 'identity shared' }, (tx, row) => this.giveToAll(tx, row));
    } finally {
      await this.parts.leases.release(lease);
    }
  }

  // The vault changes inside the transaction, last: when the commit after it fails, sharing again completes it.
  private async giveToAll(tx: Transaction, row: IdentityRow): Promise<'shared' | undefined> {
    if (row.status === 'revoked') throw new Refusal('not_found');
    if (row.owner === 'global') return undefined;
    if (needsNoSignIn(row.grant)) throw new Refusal('conflict', { reason: 'made_for_its_owner' });
    await this.freeName(tx, { ...row, owner: 'global' }, true);
    const credentialVersion = await this.parts.vault.transfer(row, 'global');
    await updateIdentity(tx, row.id, { owner: 'global', preferred: false, credentialVersion });
    return 'shared';
  }

  /** Takes an identity away at once, revokes it where it came from and destroys what the vault has of it; what cannot be done now is done later. Refuses with `not_found`. */
  async remove(which: Which): Promise<ChangedIdentity> {
    const removed = await this.change({ ...which, done: 'identity removed' }, async (tx, row) => {
      await updateIdentity(tx, row.id, { status: 'revoked', reason: row.reason === 'owner_gone' ? row.reason : 'revoked_here', hidden: true, shredAt: this.parts.clock.now() });
      return 'removed';
    });
    await this.parts.shred(which.identityId);
    return removed;
  }

  /** A server is gone: its identities too, and what was kept to sign in there. Twice is fine. Refuses as the vault does. */
  async forget(serverId: string): Promise<{ identities: number; directory: SnapshotVersion }> {
    const { result: rows, directory } = await this.parts.changes.apply(async (tx) => {
      const rows = await identitiesOf(tx, { serverId });
      for (const row of rows) await updateIdentity(tx, row.id, { status: 'revoked', reason: 'revoked_here', hidden: true, shredAt: this.parts.clock.now() });
      for (const row of rows) await this.parts.events.add(tx, { ...row, status: 'revoked', reason: 'revoked_here' }, 'removed');
      return { result: rows, changed: rows.length > 0 };
    });
    // Revoked first: that needs the client which is forgotten then.
    await Promise.all(rows.map(({ id }) => this.parts.shred(id)));
    await this.parts.forgotten.forget(serverId);
    return { identities: rows.length, directory };
  }

  /** A server has another origin now: what was made for the one before is not sent there. Resolves to how many that ended. */
  async originChanged(serverId: string): Promise<number> {
    const { origin } = new URL((await this.upstream(serverId)).url);
    return this.endAll(serverId, 'origin_changed', (row) => row.origin !== origin);
  }

  /** A server names another authorization server: no refresh token is shown to that one. Resolves to how many that ended. */
  authorizationServerChanged(serverId: string): Promise<number> {
    return this.endAll(serverId, 'authorization_server_changed', ({ method }) => method === 'oauth');
  }

  private async endAll(serverId: string, reason: NonNullable<IdentityRow['reason']>, isOther: (row: IdentityRow) => boolean): Promise<number> {
    const isMeant = (row: IdentityRow): boolean => row.status !== 'revoked' && row.reason !== reason && isOther(row);
    if (!(await identitiesOf(this.parts.db, { serverId })).some(isMeant)) return 0;
    const { result } = await this.parts.changes.apply(async (tx) => {
      const rows = (await identitiesOf(tx, { serverId })).filter(isMeant);
      for (const row of rows) await updateIdentity(tx, row.id, { status: 'needs_reauth', reason, dueAt: null });
      for (const row of rows) await this.parts.events.add(tx, { ...row, status: 'needs_reauth', reason }, 'refused');
      return { result: rows.length, changed: rows.length > 0 };
    });
    return result;
  }

  private async upstream(serverId: string): Promise<Upstream> {
    const upstream = await this.parts.findUpstream(serverId);
    if (upstream === null) throw new Refusal('unknown_server');
    return upstream;
  }

  private async owned(tx: Transaction, { identityId, ownedBy }: Which, isHidden = false): Promise<IdentityRow> {
    const row = await findIdentity(tx, identityId, true);
    if (row === undefined || row.hidden !== isHidden || (ownedBy !== null && row.owner !== ownedBy)) throw new Refusal('not_found');
    return row;
  }

  /** A step that resolves to undefined changed nothing. */
  private async change(
    { actor, done, isNew = false, ...which }: Which & { done: string; isNew?: boolean },
    step: (tx: Transaction, row: IdentityRow) => Promise<Parameters<IdentityEvents['add']>[2] | undefined>,
  ): Promise<ChangedIdentity> {
    const { directory, result, changed } = await this.parts.changes.apply(async (tx): Promise<Change<IdentityRow>> => {
      const cause = await step(tx, await this.owned(tx, { actor, ...which }, isNew));
      const after = (await findIdentity(tx, which.identityId))!;
      if (cause !== undefined) await this.parts.events.add(tx, after, cause);
      return { result: after, changed: cause !== undefined };
    });
    if (changed) this.parts.log.info({ actorId: actor.callerId, identityId: result.id, serverId: result.serverId }, done);
    const names = await ownerNames(this.parts.db, [result]);
    return { identity: shownIdentity(result, names.get(result.owner) ?? null), directory };
  }

  private async shown(id: string): Promise<Identity> {
    const row = await findIdentity(this.parts.db, id);
    if (row === undefined) throw new Refusal('not_found');
    return shownIdentity(row, (await ownerNames(this.parts.db, [row])).get(row.owner) ?? null);
  }

  private async freeName(tx: Transaction, wanted: Pick<IdentityRow, 'owner' | 'serverId' | 'name'>, evict = false): Promise<void> {
    const taken = (await identitiesOf(tx, wanted)).find(({ name }) => name === wanted.name);
    if (taken === undefined) return;
    if (taken.status !== 'revoked') throw new Refusal('conflict');
    if (evict) await updateIdentity(tx, taken.id, { hidden: true, shredAt: this.parts.clock.now() });
  }

  private async showSecrets(tx: Transaction, id: string, headers: readonly SealedHeader[]): Promise<void> {
    const changedAt = this.parts.clock.now();
    await setShownSecrets(tx, id, headers.map(({ name, lastFour }) => ({ name, lastFour, changedAt })));
  }
}

/** Where a server names its secret headers no other is stored for it; names that change framing or protocol never are. */
function refuseHeaders({ secretHeaders }: Upstream, headers: readonly SealedHeader[]): void {
  requireHeaderNames(headers.map(({ name }) => name));
  const taken = new Set(secretHeaders.map((name) => name.toLowerCase()));
  const other = headers.find(({ name }) => taken.size > 0 && !taken.has(name.toLowerCase()));
  if (other !== undefined) throw new Refusal('header_refused', { header: other.name, reason: 'not_taken' });
}
