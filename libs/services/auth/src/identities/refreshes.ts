import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Change } from '../directory/directory-changes.js';
import { readChallenge } from '../upstreams/challenge.js';
import type { FindUpstream } from '../upstreams/find-upstream.js';
import { doubtServer } from '../upstreams/found-server.js';
import { TokenRefused, type KeptRefresh, type TokenRequests, type UpstreamTokens } from '../upstreams/upstream-tokens.js';
import { needsNoSignIn, type GrantedAccess } from './granted-access.js';
import type { IdentityLease } from './identity-leases.js';
import { findIdentity, updateIdentity, type IdentityRow } from './identity-rows.js';
import { wipeKept } from './identity-vault.js';
import { isLeftAlone, isRenewable, judge, type RefreshAnswer, type RefreshQuestion } from './refresh-outcome.js';
import { RefreshWrites, type RefreshWritesParts } from './refresh-writes.js';

/** What refreshing works with. */
export interface RefreshesParts extends RefreshWritesParts {
  tokens: Pick<TokenRequests, 'refresh'>;
  granted: GrantedAccess;
  findUpstream: FindUpstream;
}

type Reason = NonNullable<IdentityRow['reason']>;
type Upstream = upstreamContracts.UpstreamServer;

/** Below the limit of the request on the bus. */
const WAIT_MS = 12_000;
const HOUR_MS = 3_600_000;
/** Answered so often in a row, `invalid_request` means that the refresh token is gone (auth.md section 5). */
const INVALID_REQUESTS = 3;

const REASONS: Readonly<Record<string, Reason>> = {
  invalid_client: 'client_gone',
  unauthorized_client: 'client_gone',
  authorization_server_changed: 'authorization_server_changed',
};

/** Codes of RFC 6749 section 4.1.2.1 that some token endpoints use for what may pass. */
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/**
 * Renews access tokens, at most once for all who ask: in this process by a map of what is under way,
 * over all replicas by a lease on the row and its token's version (auth.md section 5).
 */
export class Refreshes {
  private readonly flights = new Map<string, Promise<void>>();
  private readonly writes: RefreshWrites;

  constructor(private readonly parts: RefreshesParts) {
    this.writes = new RefreshWrites(parts);
  }

  /** What an edge is to do. Refuses with `not_found`, or like policy and the vault while they are not there. */
  async ask(question: RefreshQuestion): Promise<RefreshAnswer> {
    const first = await this.row(question.identityId);
    if (question.cause === 'refused' && (await this.lacksScopes(first, question))) return this.refusedScopes(question);
    if (await this.isElsewhere(first, question)) return this.end(first, 'origin_changed');
    await this.noteUse(first);
    return this.resolve(question.version === 0 && question.cause === 'restarted' ? { ...question, version: first.credentialVersion } : question);
  }

  /** Refreshes one that nobody waits for, unless it is left alone for a while. */
  async ahead(id: string): Promise<void> {
    const row = await this.row(id);
    if (isRenewable(row) && !isLeftAlone(row, this.parts.clock.now())) await this.flight(row, false);
  }

  /** Resolves when nothing of this instance's is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.flights.values());
  }

  private async resolve(question: RefreshQuestion): Promise<RefreshAnswer> {
    const limit = performance.now() + WAIT_MS;
    for (let asked = question; performance.now() < limit; ) {
      const row = await this.row(question.identityId);
      const verdict = judge(row, asked, this.parts.clock.now());
      if (verdict === 'note_refusal') return this.noteRefusal(row);
      if (verdict !== 'refresh' && 'end' in verdict) return this.endAs(row, verdict.end, asked);
      if (verdict !== 'refresh') return verdict;
      await this.within(limit, this.flight(row, asked.cause === 'refused'));
      // Once is enough for who asked whatever the state: what came of it decides.
      if (asked.cause === 'restarted') asked = { ...asked, cause: 'expired' };
    }
    return { outcome: 'retrying', reason: 'unreachable' };
  }

  private async row(id: string): Promise<IdentityRow> {
    const row = await findIdentity(this.parts.db, id);
    if (row === undefined || row.hidden) throw new Refusal('not_found');
    return row;
  }

  private async within(limit: number, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(0, limit - performance.now()))));
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  private flight(row: IdentityRow, isForced: boolean): Promise<void> {
    const flight = this.flights.get(row.id) ?? this.fly(row, isForced).finally(() => this.flights.delete(row.id));
    this.flights.set(row.id, flight);
    return flight;
  }

  private async fly(row: IdentityRow, isForced: boolean): Promise<void> {
    const { leases, findUpstream } = this.parts;
    const upstream = await findUpstream(row.serverId);
    if (upstream === null) throw new Refusal('not_found');
    const lease = await leases.take(row.id, row.tokenVersion);
    if (lease === undefined) return this.awaitOther(row);
    try {
      await this.renew(upstream, lease, isForced);
    } finally {
      await leases.release(lease);
    }
  }

  private async awaitOther({ id, tokenVersion }: IdentityRow): Promise<void> {
    const { leases } = this.parts;
    for (const limit = performance.now() + WAIT_MS; performance.now() < limit && (await leases.isHeld(id, tokenVersion)); ) await leases.pause();
  }

  private async renew(upstream: Upstream, lease: IdentityLease, isForced: boolean): Promise<void> {
    if (new URL(upstream.url).origin !== lease.row.origin) return this.writes.ended(lease, 'origin_changed');
    const { row, answerLost } = await this.writes.settlePending(lease);
    const settled = { ...lease, row };
    const came = await this.call(upstream, settled);
    if (came === 'overtaken') return;
    if (came === 'unanswered') return this.writes.unanswered(settled);
    if (came instanceof TokenRefused) return this.refused(settled, came, answerLost);
    try {
      await this.writes.renewed(settled, came, isForced);
    } finally {
      came.accessToken.wipe();
      came.refreshToken?.wipe();
      came.dpopKey?.wipe();
    }
  }

  private async call(upstream: Upstream, lease: IdentityLease): Promise<UpstreamTokens | TokenRefused | 'unanswered' | 'overtaken'> {
    const { row } = lease;
    const token = row.refreshRef === null ? undefined : await this.parts.vault.refreshToken(row.refreshRef);
    const stopKeeping = this.parts.leases.keep(lease);
    try {
      return (await this.parts.leases.promise(lease)) ? await this.request(upstream, row, token) : 'overtaken';
    } catch (error) {
      if (error instanceof TokenRefused && !PASSING.has(error.error)) return error;
      this.parts.log.warn({ err: error, identityId: row.id, serverId: row.serverId }, 'an authorization server gave no new token');
      return 'unanswered';
    } finally {
      stopKeeping();
      wipeKept(token);
    }
  }

  private async request(upstream: Upstream, { owner, grant, clientRef, scopes }: IdentityRow, token: KeptRefresh | undefined): Promise<UpstreamTokens> {
    if (needsNoSignIn(grant)) return (await this.parts.granted.granted(upstream, owner)).tokens;
    if (token === undefined || clientRef === null) throw new TokenRefused('invalid_grant');
    return this.parts.tokens.refresh(upstream, clientRef, token, upstream.oauth.refreshScope === true ? scopes : null);
  }

  private async refused(lease: IdentityLease, { error }: TokenRefused, answerLost: boolean): Promise<void> {
    if (error === 'invalid_request' && lease.row.invalidRequests + 1 < INVALID_REQUESTS) return this.writes.doubted(lease);
    await this.writes.ended(lease, REASONS[error] ?? (answerLost ? 'refresh_lost' : 'refresh_refused'));
  }

  /** Asked by who has no credential of it: perhaps because it was made for another origin than its server has now. */
  private async isElsewhere({ serverId, origin, status }: IdentityRow, { version, cause }: RefreshQuestion): Promise<boolean> {
    if (status === 'revoked' || (version > 0 && cause !== 'restarted')) return false;
    const upstream = await this.parts.findUpstream(serverId);
    return upstream !== null && new URL(upstream.url).origin !== origin;
  }

  private async lacksScopes(row: IdentityRow, { challenge, version }: RefreshQuestion): Promise<boolean> {
    const { error } = await readChallenge(challenge);
    return error === 'insufficient_scope' && row.method === 'oauth' && row.status !== 'revoked' && version >= row.credentialVersion;
  }

  /** What the server demands is asked for when its owner connects it anew; a refresh could only narrow. */
  private async refusedScopes({ identityId, challenge }: RefreshQuestion): Promise<RefreshAnswer> {
    const { scopes } = await readChallenge(challenge);
    return this.end(await this.row(identityId), 'scope_missing', (row) => ({ wantedScopes: [...new Set([...row.wantedScopes, ...scopes])] }));
  }

  private async endAs(row: IdentityRow, reason: Reason, { cause }: RefreshQuestion): Promise<RefreshAnswer> {
    if (cause === 'refused') await doubtServer(this.parts.db, row.serverId);
    return this.end(row, reason);
  }

  private async end(asked: IdentityRow, reason: Reason, more: (row: IdentityRow) => { wantedScopes?: string[] } = () => ({})): Promise<RefreshAnswer> {
    const { result } = await this.parts.changes.apply(async (tx): Promise<Change<RefreshAnswer>> => {
      const row = await findIdentity(tx, asked.id, true);
      if (row === undefined || row.hidden || row.status === 'revoked') return { result: { outcome: 'dead', reason: row?.reason ?? null }, changed: false };
      if (row.credentialVersion !== asked.credentialVersion) return { result: { outcome: 'fresh', reason: null }, changed: false };
      await updateIdentity(tx, row.id, { status: 'needs_reauth', reason, dueAt: null, ...more(row) });
      if (row.status !== 'needs_reauth') await this.parts.events.add(tx, { ...row, status: 'needs_reauth', reason }, 'refused');
      return { result: { outcome: 'dead', reason }, changed: row.status !== 'needs_reauth' };
    });
    if (result.outcome === 'dead') this.parts.log.warn({ identityId: asked.id, serverId: asked.serverId, reason }, 'identity must be connected anew');
    return result;
  }

  private async noteRefusal({ id, credentialVersion }: IdentityRow): Promise<RefreshAnswer> {
    await this.parts.db.query('UPDATE identities SET refused_at = $3 WHERE id = $1 AND credential_version = $2', [id, credentialVersion, this.parts.clock.now()]);
    return { outcome: 'unchanged', reason: null };
  }

  /** At most hourly, so that asking costs no write. */
  private async noteUse({ id, lastUsedAt }: IdentityRow): Promise<void> {
    const now = this.parts.clock.now();
    if (now - lastUsedAt > HOUR_MS) await this.parts.db.query('UPDATE identities SET last_used_at = $2 WHERE id = $1', [id, now]);
  }
}
