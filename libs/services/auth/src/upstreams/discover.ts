import type { upstreamContracts } from '@gatehouse/contracts';
import type { Outbound } from '@gatehouse/outbound';
import type { ServerMetadata } from 'openid-client';
import type { SignInChallenge } from './challenge.js';
import type { FoundServer } from './found-server.js';
import { DiscoveryFailed, type Hops } from './hops.js';
import { findResourceMetadata, type ResourceMetadata } from './resource-metadata.js';
import { findServerMetadata, reachProblem, type FoundMetadata } from './server-metadata.js';
import type { UpstreamFetch } from './upstream-fetch.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What a discovery starts from. */
export interface DiscoveryStart {
  outbound: Outbound;
  /** Reads documents, each and all of them within a time. */
  fetch: UpstreamFetch;
  upstream: Upstream;
  challenge: SignInChallenge;
  /** Where the server's metadata was found before. */
  known: string | undefined;
  hops: Hops;
}

const AS = 'authorization_server';
/** Specification of 2025-03-26, "Fallbacks for Servers without Metadata Discovery". */
const ASSUMED = { authorization_endpoint: 'authorize', token_endpoint: 'token', registration_endpoint: 'register' };

/**
 * Finds the authorization server of an MCP server and how to use it: what an administrator set first,
 * then what the server's metadata names, and for a server without any its own origin, as in 2025-03-26.
 * Rejects with `DiscoveryFailed`.
 */
export async function discover(start: DiscoveryStart): Promise<Omit<FoundServer, 'challenge'>> {
  const resource = await resourceOf(start);
  const base = { proofs: proofsOf(start, resource), server: start.upstream.url, resourceUrl: resource?.url ?? null, resource: resource?.resource ?? null, scopes: resource?.scopes ?? [], challengeScopes: start.challenge.scopes, steps: start.hops.steps };
  return { ...base, ...(await serverOf(start, resource)) };
}

function proofsOf({ challenge }: DiscoveryStart, { proofs = 'none' }: Partial<ResourceMetadata> = {}): NonNullable<FoundServer['proofs']> {
  return proofs === 'none' && challenge.hasProofs ? 'spoken' : proofs;
}

// With an issuer or endpoints set, the server's own word is worth its scopes and its name only.
async function resourceOf(start: DiscoveryStart): Promise<ResourceMetadata | undefined> {
  const { fetch, upstream, challenge, known, hops } = start;
  const search = { fetch, upstream, told: challenge.resourceMetadata ?? known, hops };
  try {
    return await findResourceMetadata(search);
  } catch (error) {
    if (error instanceof DiscoveryFailed && isSet(upstream)) return undefined;
    throw error;
  }
}

function isSet({ oauth }: Upstream): boolean {
  return oauth.issuer !== undefined || (oauth.tokenUrl !== undefined && oauth.authorizeUrl !== undefined);
}

type Server = Pick<FoundServer, 'issuer' | 'metadata' | 'how'>;

async function serverOf(start: DiscoveryStart, resource: ResourceMetadata | undefined): Promise<Server> {
  const { upstream } = start;
  const { issuer } = upstream.oauth;
  const given = givenEndpoints(start);
  if (issuer === undefined && given !== undefined) return told(start, given);
  const named = issuersNamed(issuer, resource);
  const found = await firstOf(named ?? [new URL(upstream.url).origin], start);
  if (found.kind === 'found') return { issuer: found.metadata.issuer, metadata: withSettings(found.metadata, upstream), how: 'read' };
  if (given !== undefined) return told(start, given);
  return named === undefined && found.kind === 'absent' ? assumed(start) : without(found);
}

function without(found: Exclude<FoundMetadata, { kind: 'found' }>): never {
  const problem = found.kind === 'failed' ? found.words : 'The authorization server has no metadata.';
  throw new DiscoveryFailed(problem, 'Set its authorize and token addresses by hand, or ask whoever runs it.');
}

function issuersNamed(set: string | undefined, resource: ResourceMetadata | undefined): readonly string[] | undefined {
  return set === undefined ? resource?.authorizationServers : [set];
}

async function firstOf(issuers: readonly string[], { outbound, fetch, upstream, hops }: DiscoveryStart): Promise<FoundMetadata> {
  let worst: FoundMetadata = { kind: 'absent' };
  for (const issuer of issuers) {
    const found = await findServerMetadata(issuer, { fetch, outbound, upstream, hops });
    if (found.kind === 'found') return found;
    if (found.kind === 'failed') worst = found;
  }
  return worst;
}

function withSettings(metadata: ServerMetadata, { oauth }: Upstream): ServerMetadata {
  const { authorizeUrl, tokenUrl } = oauth;
  return {
    ...metadata,
    ...(authorizeUrl === undefined ? {} : { authorization_endpoint: authorizeUrl }),
    ...(tokenUrl === undefined ? {} : { token_endpoint: tokenUrl }),
  };
}

function givenEndpoints({ upstream, outbound, hops }: DiscoveryStart): ServerMetadata | undefined {
  const { authorizeUrl, tokenUrl, issuer, grant = 'authorization_code' } = upstream.oauth;
  if (tokenUrl === undefined || (grant === 'authorization_code' && authorizeUrl === undefined)) return undefined;
  for (const url of [tokenUrl, authorizeUrl]) {
    const problem = url === undefined ? undefined : reachProblem(outbound, url, upstream);
    if (url !== undefined && problem !== undefined) return failed(hops, url, `The address that was set for the authorization server cannot be used: ${problem}.`);
  }
  return withSettings({ issuer: issuer ?? new URL(tokenUrl).origin }, upstream);
}

function told({ hops }: DiscoveryStart, metadata: ServerMetadata): Server {
  hops.ok(AS, metadata.token_endpoint ?? null, 'The addresses of the authorization server are those that were set here.');
  return { issuer: metadata.issuer, metadata, how: 'settings' };
}

function assumed({ upstream, hops }: DiscoveryStart): Server {
  const { origin } = new URL(upstream.url);
  const endpoints = Object.fromEntries(Object.entries(ASSUMED).map(([name, path]) => [name, `${origin}/${path}`]));
  hops.skipped(AS, origin, 'Neither the server nor its host has metadata about signing in; the usual addresses of 2025 are tried.');
  return { issuer: origin, metadata: { issuer: origin, ...endpoints }, how: 'assumed' };
}

function failed(hops: Hops, url: string, words: string): never {
  hops.failed(AS, url, words);
  throw new DiscoveryFailed(words);
}
