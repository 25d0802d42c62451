import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { hasPkce } from './asked-for.js';
import { clientAuthentication } from './client-authentication.js';
import { forgiveClients, type UpstreamClient } from './client-rows.js';
import type { FindUpstream } from './find-upstream.js';
import type { FoundServer } from './found-server.js';
import { DiscoveryFailed, Hops } from './hops.js';
import { refusalWithin, troubleWords } from './trouble-words.js';
import { ClientNeeded, type UpstreamClients } from './upstream-clients.js';
import type { UpstreamSecrets } from './upstream-secrets.js';
import type { UpstreamServers } from './upstream-servers.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What a server needs before calls to it can succeed. */
export interface UpstreamVerdict {
  verdict: upstreamContracts.AuthVerdict;
  steps: upstreamContracts.AuthStep[];
  callbackUrl: string;
  advice: string | null;
}

/** What `UpstreamDiscovery` works with. */
export interface UpstreamDiscoveryParts {
  db: Database;
  servers: UpstreamServers;
  clients: UpstreamClients;
  secrets: UpstreamSecrets;
  findUpstream: FindUpstream;
  log: Logger;
  clock: Clock;
}

type Judgement = Pick<UpstreamVerdict, 'verdict' | 'advice'>;

/** Finds out how servers want to be signed in to, tells it hop by hop, and prepares for it. */
export class UpstreamDiscovery {
  constructor(private readonly parts: UpstreamDiscoveryParts) {}

  /** What a server that answered 401 needs. Refuses with `unknown_server`. */
  async discover({ serverId, challenge, anew }: { serverId: string; challenge: string | null; anew: boolean }): Promise<UpstreamVerdict> {
    const upstream = await this.parts.findUpstream(serverId);
    if (upstream === null) throw new Refusal('unknown_server');
    const hops = new Hops();
    const judgement = await this.judge(upstream, hops, { challenge, anew });
    this.parts.log.info({ serverId, verdict: judgement.verdict }, 'how to sign in to a server was looked for');
    return { ...judgement, steps: hops.steps, callbackUrl: this.parts.clients.callbackUrl };
  }

  /** By which way accounts at a server are made. Rejects with `DiscoveryFailed`. */
  async methodOf(upstream: Upstream): Promise<'oauth' | 'headers' | 'none'> {
    if (upstream.auth !== 'auto') return upstream.auth;
    if (upstream.secretHeaders.length > 0) return 'headers';
    const { verdict } = await this.judge(upstream, new Hops(), { challenge: null, anew: false });
    return verdict === 'header' ? 'headers' : 'oauth';
  }

  private async judge(upstream: Upstream, hops: Hops, wish: { challenge: string | null; anew: boolean }): Promise<Judgement> {
    if (upstream.auth === 'headers') return wantsHeader(upstream, hops, 'This server is set to take a header.');
    if (wish.anew) await forgiveClients(this.parts.db, upstream.id);
    try {
      const found = await this.parts.servers.of(upstream, { ...wish, hops });
      if (hops.steps.length === 0) hops.steps.push(...found.steps);
      return await this.prepared(upstream, found, hops);
    } catch (error) {
      return failed(upstream, hops, error);
    }
  }

  private async prepared(upstream: Upstream, found: FoundServer, hops: Hops): Promise<Judgement> {
    const { grant = 'authorization_code' } = upstream.oauth;
    // Only codes can be stolen on the way.
    if (grant === 'authorization_code' && !hasPkce(upstream.oauth, found)) return withoutPkce(found, hops);
    try {
      const client = await this.parts.clients.current(upstream, found);
      await clientAuthentication({ upstream, client, metadata: found.metadata }, this.parts.secrets);
      hops.ok('registration', found.metadata.registration_endpoint ?? null, wordsFor(client));
      return { verdict: 'sign_in', advice: null };
    } catch (error) {
      if (!(error instanceof ClientNeeded)) throw error;
      hops.failed('registration', found.metadata.registration_endpoint ?? null, error.problem);
      // Nothing here ever said that it knows OAuth.
      if (found.how === 'assumed' && upstream.oauth.clientId === undefined) return wantsHeader(upstream, hops, 'Nothing says that one can sign in here.');
      return { verdict: 'client', advice: this.clientAdvice(upstream) };
    }
  }

  private clientAdvice({ oauth, preset }: Upstream): string {
    const { callbackUrl } = this.parts.clients;
    const where = preset === null ? 'in the provider’s settings' : `at ${preset.title}`;
    const more = [preset?.notes, preset?.documentation].filter((each) => typeof each === 'string').join(' ');
    const what = oauth.clientId === undefined ? `Register an OAuth client ${where} with the callback address ${callbackUrl}, then give its id and secret.` : `Give the secret of the client ${oauth.clientId.slice(0, 100)}; its callback address must be ${callbackUrl}.`;
    return `${what} ${more}`.trim().slice(0, 500);
  }
}

function withoutPkce({ issuer }: FoundServer, hops: Hops): Judgement {
  hops.failed('sign_in', issuer, 'The authorization server does not say that it protects codes against theft (PKCE with S256).');
  return { verdict: 'failed', advice: 'If it does so all the same, set for this server that PKCE is assumed.' };
}

function wantsHeader({ preset, secretHeaders }: Upstream, hops: Hops, words: string): Judgement {
  hops.skipped('sign_in', null, words);
  const name = secretHeaders[0] ?? preset?.header?.name ?? 'Authorization';
  const more = [preset?.notes, preset?.documentation].filter((each) => typeof each === 'string').join(' ');
  return { verdict: 'header', advice: `Give a token or key of your own; it is sent in the header ${name}. ${more}`.trim().slice(0, 500) };
}

function failed(upstream: Upstream, hops: Hops, error: unknown): Judgement {
  if (error instanceof DiscoveryFailed) return { verdict: 'failed', advice: error.advice ?? null };
  if (refusalWithin(error) === undefined) throw error;
  hops.failed('registration', upstream.url, `The client could not be registered: ${troubleWords(error)}.`);
  return { verdict: 'failed', advice: 'Try again in a moment.' };
}

function wordsFor({ method, clientId }: UpstreamClient): string {
  if (method === 'static') return `Gatehouse is the client ${clientId.slice(0, 100)} that was registered beforehand.`;
  return method === 'document' ? 'Gatehouse shows its client metadata document; no registration is needed.' : 'Gatehouse registered itself as a client.';
}
