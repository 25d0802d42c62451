import type { SnapshotVersion, upstreamContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { directoryVersion } from '../directory/directory-changes.js';
import { handOverProblem } from '../hand-over/hand-over-problem.js';
import type { HandOverOutcome, HandOverTurns } from '../hand-over/hand-over-turns.js';
import type { FindUpstream } from '../upstreams/find-upstream.js';
import { TokenRefused, type GrantedTokens } from '../upstreams/upstream-tokens.js';
import { needsNoSignIn, type GrantedAccess } from './granted-access.js';
import type { Identities } from './identities.js';
import { identitiesOf, type IdentityRow } from './identity-rows.js';

/** What comes of asking for an identity that nobody has to connect. */
export interface Obtained {
  identityId: string | null;
  /** Why there is none, as a sentence; null where people connect their own. */
  problem: string | null;
  directory: SnapshotVersion;
}

/** What obtaining works with. */
export interface ObtainedIdentitiesParts {
  db: Database;
  identities: Identities;
  granted: GrantedAccess;
  findUpstream: FindUpstream;
  turns: HandOverTurns;
  /** Where people sign in. */
  origin: string;
  log: Logger;
}

type Upstream = upstreamContracts.UpstreamServer;

/** Identities that come about without anybody connecting them, when they are first needed. */
export class ObtainedIdentities {
  private readonly asking = new Map<string, Promise<HandOverOutcome>>();

  constructor(private readonly parts: ObtainedIdentitiesParts) {}

  /** The person's identity at a server, or the organisation's where Gatehouse itself is who signs in. Refuses with `unknown_server`, or like the vault. */
  async obtain({ serverId, personId }: { serverId: string; personId: string }): Promise<Obtained> {
    const upstream = await this.parts.findUpstream(serverId);
    if (upstream === null) throw new Refusal('unknown_server');
    const { grant = 'authorization_code' } = upstream.oauth;
    const owner = grant === 'client_credentials' ? 'global' : personId;
    const outcome = needsNoSignIn(grant) ? await this.once(upstream, owner, { personId }) : { identityId: null, problem: null };
    return { ...outcome, directory: await directoryVersion(this.parts.db) };
  }

  /**
   * A server was looked at: what was made for another origin of it is over, and where Gatehouse itself is
   * who signs in, and can, the organisation's identity is made. What stands in the way is in the log.
   */
  async looked(serverId: string, canSignIn: boolean): Promise<void> {
    try {
      await this.parts.identities.originChanged(serverId);
      const upstream = canSignIn ? await this.parts.findUpstream(serverId) : null;
      if (upstream?.oauth.grant === 'client_credentials') await this.once(upstream, 'global', { personId: null, isAnew: true });
    } catch (error) {
      this.parts.log.warn({ err: error, serverId }, 'the accounts at a server could not be brought in line with it');
    }
  }

  private once(upstream: Upstream, owner: IdentityRow['owner'], { personId, isAnew = false }: { personId: string | null; isAnew?: boolean }): Promise<HandOverOutcome> {
    const key = `${upstream.id} ${owner}`;
    const present = async (): Promise<string | undefined> => (await this.present(upstream, owner))?.id;
    const make = (): Promise<HandOverOutcome> => this.make(upstream, owner, personId);
    const asking = this.asking.get(key) ?? this.parts.turns.once({ serverId: upstream.id, owner, present, make, isAnew }).finally(() => this.asking.delete(key));
    this.asking.set(key, asking);
    return asking;
  }

  private async make(upstream: Upstream, owner: IdentityRow['owner'], personId: string | null): Promise<HandOverOutcome> {
    const came = await this.tokens(upstream, owner);
    if (typeof came === 'string') return { identityId: null, problem: came };
    return { identityId: await this.store(upstream, owner, { ...came, personId }), problem: null };
  }

  private async present(upstream: Upstream, owner: IdentityRow['owner']): Promise<IdentityRow | undefined> {
    const rows = await identitiesOf(this.parts.db, { owner, serverId: upstream.id });
    return rows.find(({ status }) => status === 'active' || status === 'retrying');
  }

  private async tokens(upstream: Upstream, owner: IdentityRow['owner']): Promise<GrantedTokens | string> {
    try {
      return await this.parts.granted.granted(upstream, owner);
    } catch (error) {
      if (!(error instanceof TokenRefused) && !(error instanceof Refusal)) throw error;
      this.parts.log.warn({ err: error, serverId: upstream.id, owner }, 'no account could be made');
      return handOverProblem(upstream.name, error, this.parts.origin);
    }
  }

  private async store(upstream: Upstream, owner: IdentityRow['owner'], { tokens, clientRef, personId }: GrantedTokens & { personId: string | null }): Promise<string> {
    const wish = { upstream, owner, name: 'default', identityId: null, clientRef, tokens, actor: personId === null ? null : { callerId: personId, tokenId: null } };
    try {
      return (await this.parts.identities.connected(wish)).identity.id;
    } catch (error) {
      // Another replica was asked at the same moment; both tokens are good, and one is stored.
      const present = error instanceof Refusal && error.code === 'conflict' ? await this.present(upstream, owner) : undefined;
      if (present === undefined) throw error;
      return present.id;
    } finally {
      tokens.accessToken.wipe();
      tokens.refreshToken?.wipe();
      tokens.dpopKey?.wipe();
    }
  }
}
