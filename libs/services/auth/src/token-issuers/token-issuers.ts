import type { Actor, directoryContracts, signInContracts, SnapshotVersion } from '@gatehouse/contracts';
import { asRefusalOrFault, Refusal, type Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import { directoryVersion, type DirectoryChanges } from '../directory/directory-changes.js';
import { Accounts } from '../sign-in/accounts.js';
import { fetchIssuerKeys } from './issuer-keys.js';
import { refuseBeyondIssuer } from './refuse-beyond-issuer.js';
import { allIssuers, deleteIssuer, findIssuer, replaceIssuerKeys, saveIssuer, takeTurn, type IssuerRow, type IssuerSettings } from './token-issuer-rows.js';

type Wire = signInContracts.TokenIssuer;
type Arriving = z.output<typeof directoryContracts.linkCaller.request>;

/** What `TokenIssuers` works with. */
export interface TokenIssuersParts {
  db: Database;
  changes: DirectoryChanges;
  outbound: Outbound;
  log: Logger;
  clock: Clock;
}

/** A key nobody knows is looked for at most so often, whoever shows it. */
const LOOK_EVERY_MS = 30_000;
/** Keys that an issuer withdrew must not verify for long. */
const RENEW_EVERY_MS = 900_000;
const ROUND_MS = 60_000;

/** Authorization servers of the company's whose access tokens count beside ours. */
export class TokenIssuers {
  private timer: NodeJS.Timeout | undefined;
  private readonly accounts: Accounts;

  constructor(private readonly parts: TokenIssuersParts) {
    this.accounts = new Accounts(parts.log, parts.clock);
  }

  /** All of them. */
  async list(): Promise<{ items: Wire[] }> {
    return { items: (await allIssuers(this.parts.db)).map(wireOf) };
  }

  /** Trusts an issuer, once its keys could be fetched; refuses as `fetchIssuerKeys` and `refuseBeyondIssuer`, and with `conflict` for an issuer that has another name. */
  async put({ actor, name, ...settings }: IssuerSettings & { actor: Actor; name: string }): Promise<{ tokenIssuer: Wire; directory: SnapshotVersion }> {
    const keys = await fetchIssuerKeys(this.parts.outbound, settings);
    const now = this.parts.clock.now();
    const { result, directory } = await this.parts.changes.apply(async (tx) => {
      const old = await findIssuer(tx, name);
      await refuseBeyondIssuer(tx, actor, { name, settings }, old);
      const row = { name, settings, keys, keysFetchedAt: now, createdAt: old?.createdAt ?? now };
      await saveIssuer(tx, row);
      return { result: row, changed: true };
    });
    this.parts.log.info({ actorId: actor.callerId, issuer: settings.issuer, keys: keys.length }, 'token issuer trusted');
    return { tokenIssuer: wireOf(result), directory };
  }

  /** Stops trusting an issuer. */
  async delete({ actor, name }: { actor: Actor; name: string }): Promise<{ directory: SnapshotVersion }> {
    const { directory } = await this.parts.changes.apply(async (tx) => {
      if (!(await deleteIssuer(tx, name))) throw new Refusal('not_found');
      return { result: undefined, changed: true };
    });
    this.parts.log.info({ actorId: actor.callerId, tokenIssuer: name }, 'token issuer no longer trusted');
    return { directory };
  }

  /**
   * Makes a person of a subject that an edge met in a token it verified, or finds that it has one. An
   * address in an access token is nobody's proof of it, so it joins nobody and is not kept.
   * Refuses with `unauthenticated` for a disabled person and for one who was not invited.
   */
  async link({ issuer: name, subject, name: called, groups }: Arriving): Promise<SnapshotVersion> {
    const row = await findIssuer(this.parts.db, name);
    if (row === undefined) throw new Refusal('not_found');
    const { issuer, provisioning, claims, allowPrivateNetwork } = row.settings;
    const settings = { ...NO_SIGN_IN, displayName: name, issuer, claims, provisioning, allowPrivateNetwork };
    const provider = { name, settings, secret: () => Promise.resolve(undefined) };
    const arrival = { provider, subject, sid: null, authAt: this.parts.clock.now(), claims: {}, name: called ?? undefined, email: undefined, groups };
    const { directory } = await this.parts.changes.apply(async (tx) => {
      const { changed } = await this.accounts.admit(tx, arrival);
      return { result: undefined, changed };
    });
    return directory;
  }

  /** Fetches an issuer's keys because a token named one nobody knows; at most once in 30 s over all replicas. */
  async refresh(name: string): Promise<SnapshotVersion> {
    if ((await findIssuer(this.parts.db, name)) === undefined) throw new Refusal('not_found');
    await this.renew(name, LOOK_EVERY_MS);
    return directoryVersion(this.parts.db);
  }

  /** Keeps the keys of all issuers fresh. */
  start(): void {
    this.timer = setInterval(() => void this.round(), ROUND_MS).unref();
  }

  /** Stops. */
  close(): void {
    clearInterval(this.timer);
  }

  private async round(): Promise<void> {
    try {
      for (const { name } of await allIssuers(this.parts.db)) await this.renew(name, RENEW_EVERY_MS);
    } catch (error) {
      this.parts.log.warn({ err: error }, 'token issuers were not looked after');
    }
  }

  // An issuer that is down keeps the keys it had: its tokens go on as ours do when auth is away.
  private async renew(name: string, everyMs: number): Promise<void> {
    const { db, outbound, changes, clock, log } = this.parts;
    const row = await findIssuer(db, name);
    if (row === undefined || !(await takeTurn(db, name, clock.now(), everyMs))) return;
    const keys = await fetchIssuerKeys(outbound, row.settings).catch((error: unknown) => {
      log.warn({ code: asRefusalOrFault(error).code, issuer: row.settings.issuer }, 'keys of a token issuer not fetched; the old ones hold');
      return undefined;
    });
    if (keys === undefined) return;
    await changes.apply(async (tx) => ({ result: undefined, changed: await replaceIssuerKeys(tx, name, keys, clock.now()) }));
  }
}

/** What an issuer of tokens is not: a place where people sign in. */
const NO_SIGN_IN = { clientId: '', scopes: [], linkByEmail: false, administratorRule: null, identityAssertions: false, keepTokens: false, enabled: true };

function wireOf({ name, settings, keys, keysFetchedAt, createdAt }: IssuerRow): Wire {
  return { name, ...settings, keys: keys.length, keysFetchedAt, createdAt };
}
