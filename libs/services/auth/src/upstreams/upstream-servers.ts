import type { Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { upstreamContracts } from '@gatehouse/contracts';
import { askForChallenge } from './ask-for-challenge.js';
import { readChallenge, type SignInChallenge } from './challenge.js';
import { discover } from './discover.js';
import { keepServer, keptServer, settingsDigestOf, type FoundServer, type KeptServer } from './found-server.js';
import { DiscoveryFailed, Hops } from './hops.js';
import { discoveryFetch } from './upstream-fetch.js';
import { isSameIssuer } from './well-known.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What `UpstreamServers` works with. */
export interface UpstreamServersParts {
  db: Database;
  outbound: Outbound;
  log: Logger;
  clock: Clock;
  /** A server names another authorization server than before: what was made at that one cannot be renewed at this one. */
  onOtherIssuer: (serverId: string) => Promise<unknown>;
}

/** How a discovery is asked for. */
export interface DiscoveryWish {
  /** The server's `WWW-Authenticate`. */
  challenge?: string | null;
  /** Look again, whatever is known. */
  anew?: boolean;
  hops?: Hops;
}

const FRESH_MS = 3_600_000;

/**
 * The authorization servers of the register's servers, found out when needed and known for an hour.
 * While one cannot be found anew the old answer serves on: a provider's outage of its metadata must
 * not end what its token endpoint still does (auth.md section 5).
 */
export class UpstreamServers {
  private readonly asking = new Map<string, Promise<FoundServer>>();

  constructor(private readonly parts: UpstreamServersParts) {}

  /** The authorization server of a server. Rejects with `DiscoveryFailed`. */
  async of(upstream: Upstream, wish: DiscoveryWish = {}): Promise<FoundServer> {
    const kept = await this.kept(upstream);
    if (kept !== undefined && wish.anew !== true && this.answers(kept, wish.challenge)) return kept.found;
    if (kept === undefined || wish.anew === true) return this.ask(upstream, wish);
    return this.ask(upstream, wish).catch((error: unknown) => {
      if (!(error instanceof DiscoveryFailed)) throw error;
      this.parts.log.warn({ serverId: upstream.id, problem: error.problem }, 'how to sign in to a server could not be found out again; what was known is used');
      return kept.found;
    });
  }

  /**
   * What is known, whatever its age, for those who cannot wait; it is looked for again in the
   * background when it is old. Rejects with `DiscoveryFailed` when nothing is known and nothing found.
   */
  async known(upstream: Upstream): Promise<FoundServer> {
    const kept = await this.kept(upstream);
    if (kept === undefined) return this.of(upstream);
    if (!this.isFresh(kept)) this.of(upstream).catch((error: unknown) => this.parts.log.warn({ err: error, serverId: upstream.id }, 'a server’s sign-in could not be looked at again'));
    return kept.found;
  }

  /** Whether there is nothing to look for: it is known lately, and the server says what it said then. */
  private answers(kept: KeptServer, challenge: string | null = null): boolean {
    return this.isFresh(kept) && (challenge === null || challenge === kept.found.challenge);
  }

  private isFresh({ foundAt }: KeptServer): boolean {
    return this.parts.clock.now() - foundAt < FRESH_MS;
  }

  private async kept(upstream: Upstream): Promise<KeptServer | undefined> {
    const kept = await keptServer(this.parts.db, upstream.id);
    return kept?.settingsDigest === settingsDigestOf(upstream) ? kept : undefined;
  }

  private ask(upstream: Upstream, wish: DiscoveryWish): Promise<FoundServer> {
    // A story that somebody wants to hear is told to them alone.
    if (wish.hops !== undefined) return this.find(upstream, wish);
    const asking = this.asking.get(upstream.id) ?? this.find(upstream, wish).finally(() => this.asking.delete(upstream.id));
    this.asking.set(upstream.id, asking);
    return asking;
  }

  private async find(upstream: Upstream, { challenge: told = null, hops = new Hops() }: DiscoveryWish): Promise<FoundServer> {
    const { db, outbound, clock } = this.parts;
    const before = (await keptServer(db, upstream.id))?.found;
    const known = knownFor(upstream, before);
    const header = await this.header(upstream, told, known.isKnown);
    const challenge = await readChallenge(header);
    tellRequest(hops, upstream, header, challenge);
    const found = await discover({ outbound, fetch: discoveryFetch(outbound, upstream), upstream, challenge, known: known.resourceUrl, hops });
    const all = header === null ? withSaid(found, known.said) : { ...found, challenge: header };
    await keepServer(db, upstream.id, { found: all, foundAt: clock.now(), settingsDigest: settingsDigestOf(upstream) });
    if (before !== undefined && !isSameIssuer(before.issuer, found.issuer)) await this.otherIssuer(upstream);
    return all;
  }

  private async header(upstream: Upstream, told: string | null, isKnown: boolean): Promise<string | null> {
    return told !== null || isKnown ? told : askForChallenge(this.parts.outbound, upstream);
  }

  private async otherIssuer({ id: serverId }: Upstream): Promise<void> {
    this.parts.log.warn({ serverId }, 'a server names another authorization server than before: accounts connected at that one end');
    await this.parts.onOtherIssuer(serverId);
  }
}

type Said = Pick<FoundServer, 'challenge' | 'challengeScopes' | 'proofs'>;

// What was found for another address of the server says nothing about this one.
function knownFor({ url }: Upstream, before: FoundServer | undefined): { isKnown: boolean; resourceUrl: string | undefined; said: Said } {
  if (before?.server !== url) return { isKnown: false, resourceUrl: undefined, said: { challenge: null, challengeScopes: [] } };
  const { resourceUrl, challenge, challengeScopes, proofs = 'none' } = before;
  return { isKnown: true, resourceUrl: resourceUrl ?? undefined, said: { challenge, challengeScopes, proofs } };
}

/** What was found without a challenge, with what the last one said. */
function withSaid(found: Omit<FoundServer, 'challenge'>, { proofs: before = 'none', ...said }: Said): FoundServer {
  const { proofs = 'none' } = found;
  return { ...found, ...said, proofs: proofs === 'none' ? before : proofs };
}

function tellRequest(hops: Hops, { url }: Upstream, header: string | null, { resourceMetadata }: SignInChallenge): void {
  if (header === null) return hops.skipped('request', url, 'How to sign in is looked for without a challenge of the server.');
  const named = resourceMetadata === undefined ? 'does not say where to find out how' : 'says where to find out how';
  hops.ok('request', url, `The server wants a sign-in and ${named}.`);
}
