import type { Actor, upstreamContracts } from '@gatehouse/contracts';
import { newId, Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { Change, DirectoryChanges } from '../directory/directory-changes.js';
import type { UpstreamTokens } from '../upstreams/upstream-tokens.js';
import type { IdentityEvents } from './identity-events.js';
import type { IdentityLease, IdentityLeases } from './identity-leases.js';
import { findIdentity, identitiesOf, insertIdentity, secretsOf, setShownSecrets, updateIdentity, type IdentityRow, type IdentityUpdate } from './identity-rows.js';
import type { IdentityVault } from './identity-vault.js';
import { refuseInactiveOwner } from './owner.js';
import { isRenewable } from './refresh-outcome.js';
import { dueAt } from './token-life.js';

/** Tokens that came of a sign-in at an upstream's authorization server. */
export interface Connected {
  upstream: upstreamContracts.UpstreamServer;
  owner: IdentityRow['owner'];
  /** Null: `default`, or the next free name; a dead `default` is connected anew. */
  name: string | null;
  /** The one that is connected anew. */
  identityId: string | null;
  clientRef: string;
  tokens: UpstreamTokens;
  /** Null: nobody had to ask. */
  actor: Actor | null;
}

/** What connecting works with. */
export interface ConnectingParts {
  db: Database;
  changes: DirectoryChanges;
  vault: IdentityVault;
  leases: IdentityLeases;
  events: IdentityEvents;
  log: Logger;
  clock: Clock;
}

/** How long a row may stay hidden before it counts as left behind. */
export const UNFINISHED_MS = 10 * 60_000;
const WAIT_MS = 12_000;

/** After these a refresh token is known to be worth nothing. */
const REFRESH_ENDED: ReadonlySet<IdentityRow['reason']> = new Set(['refresh_refused', 'refresh_lost', 'client_gone', 'authorization_server_changed'] as const);

/** Whether one is connected anew. Secrets of a revoked one are about to be destroyed under its id: the account gets another id. */
function replaces({ name, identityId }: Connected, { status }: IdentityRow): boolean {
  if (status === 'revoked') return false;
  return name !== null || identityId !== null || status === 'needs_reauth';
}

/**
 * Makes identities of tokens. The row is there before its secrets are, hidden, and is swept with
 * them unless it is shown in the end: a crash on the way leaves nothing in the vault that no row
 * leads to, and never an identity that looks usable and is not.
 */
export class ConnectedIdentities {
  constructor(private readonly parts: ConnectingParts) {}

  /**
   * Stores the tokens as an identity and shows it. The same owner, server and name replaces; a refresh
   * token stays when none came and the client is the same. Refuses with `not_found` when `identityId`
   * is none of the owner's there, with `bad_request` for an owner who is disabled, or as the vault does.
   */
  async connected(connected: Connected): Promise<{ id: string }> {
    const id = await this.place(connected);
    const lease = await this.parts.leases.await(id, WAIT_MS);
    try {
      await this.store(connected, lease);
    } finally {
      await this.parts.leases.release(lease);
    }
    this.parts.log.info({ actorId: connected.actor?.callerId ?? null, identityId: id, serverId: connected.upstream.id }, 'identity connected');
    return { id };
  }

  /** The identity that is replaced, or a hidden row of a new one. */
  private async place(connected: Connected): Promise<string> {
    const named = await this.named(connected);
    if (named !== undefined && replaces(connected, named)) return named.id;
    return this.newRow(connected, named?.name ?? connected.name ?? 'default');
  }

  /** The one that was meant, or has the name that was. */
  private async named({ upstream, owner, identityId, name }: Connected): Promise<IdentityRow | undefined> {
    const present = await identitiesOf(this.parts.db, { owner, serverId: upstream.id });
    if (identityId === null) return present.find((one) => one.name === (name ?? 'default'));
    const meant = present.find(({ id }) => id === identityId);
    if (meant === undefined) throw new Refusal('not_found');
    return meant;
  }

  private async newRow({ upstream, owner }: Connected, name: string): Promise<string> {
    const now = this.parts.clock.now();
    const row = { id: newId('identity', this.parts.clock), serverId: upstream.id, serverName: upstream.name, owner, name, method: 'oauth' as const };
    await insertIdentity(this.parts.db, { ...row, origin: new URL(upstream.url).origin, createdAt: now, shredAt: now + UNFINISHED_MS });
    return row.id;
  }

  private async store(connected: Connected, lease: IdentityLease): Promise<void> {
    const { upstream, tokens } = connected;
    const { vault, db } = this.parts;
    const { row, promised } = lease;
    // Named before it is there; not as the pending one, because that is taken for the old client's.
    if (tokens.refreshToken !== null) {
      await db.query('UPDATE identities SET stale_refs = array_append(stale_refs, $2) WHERE id = $1', [row.id, promised]);
      await vault.keepRefreshToken(promised, { refreshToken: tokens.refreshToken, dpopKey: tokens.dpopKey });
    }
    const origin = new URL(upstream.url).origin;
    const credentialVersion = await vault.storeAccess({ ...row, origin }, tokens);
    await this.parts.changes.apply((tx) => this.show(tx, connected, { lease, credentialVersion, origin }));
  }

  private async show(tx: Transaction, connected: Connected, { lease, credentialVersion, origin }: { lease: IdentityLease; credentialVersion: number; origin: string }): Promise<Change<string>> {
    const row = await this.stillMine(tx, lease);
    await refuseInactiveOwner(tx, row.owner);
    const update = { ...this.update(connected, row, lease.promised), credentialVersion, origin };
    await updateIdentity(tx, row.id, row.hidden ? { ...update, name: await this.settledName(tx, connected, row) } : update);
    await setShownSecrets(tx, row.id, []);
    await this.parts.events.add(tx, { ...row, status: 'active', reason: null }, 'connected');
    return { result: row.id, changed: true };
  }

  private async stillMine(tx: Transaction, { row: { id, tokenVersion } }: IdentityLease): Promise<IdentityRow> {
    const row = await findIdentity(tx, id, true);
    if (row === undefined || row.tokenVersion !== tokenVersion || row.status === 'revoked') throw new Refusal('conflict');
    return row;
  }

  private update({ upstream, tokens, clientRef }: Connected, row: IdentityRow, promised: string): IdentityUpdate {
    const now = this.parts.clock.now();
    const kept = row.clientRef === clientRef && !REFRESH_ENDED.has(row.reason) ? row.refreshRef : null;
    const refreshRef = tokens.refreshToken === null ? kept : promised;
    const { grant = 'authorization_code' } = upstream.oauth;
    const life = { expiresAt: tokens.expiresAt, ttlMs: tokens.expiresAt === null ? null : tokens.expiresAt - now };
    const state = { status: 'active', reason: null, failures: 0, invalidRequests: 0, retryAt: null, retryingSince: null, refusedAt: null } as const;
    return {
      ...state,
      ...life,
      method: 'oauth',
      grant,
      clientRef,
      scopes: tokens.scopes ?? row.scopes,
      wantedScopes: [],
      tokenVersion: row.tokenVersion + 1,
      refreshRef,
      pendingRef: null,
      staleRefs: secretsOf(row).filter((ref) => ref !== refreshRef),
      dueAt: isRenewable({ grant, refreshRef }) ? dueAt(life) : null,
      lastUsedAt: now,
      lastRefreshAt: now,
      hidden: false,
      shredAt: null,
    };
  }

  /** Names may have been taken since the row was made; a revoked one gives its name away. */
  private async settledName(tx: Transaction, { name: wanted, identityId }: Connected, { name, owner, serverId }: IdentityRow): Promise<string> {
    const present = await identitiesOf(tx, { owner, serverId });
    const revoked = present.find((one) => one.name === name && one.status === 'revoked');
    if (revoked !== undefined) await updateIdentity(tx, revoked.id, { hidden: true, shredAt: this.parts.clock.now() });
    const taken = new Set(present.filter(({ id }) => id !== revoked?.id).map((one) => one.name));
    if (!taken.has(name)) return name;
    if (wanted !== null || identityId !== null) throw new Refusal('conflict');
    for (let count = 2; ; count++) if (!taken.has(`${name}-${count}`)) return `${name}-${count}`;
  }
}
