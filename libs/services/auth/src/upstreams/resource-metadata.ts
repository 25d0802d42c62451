import type { upstreamContracts } from '@gatehouse/contracts';
import type { JsonObject, JsonValue } from '@gatehouse/kernel';
import { scopeNames } from './challenge.js';
import { DiscoveryFailed, type Hops } from './hops.js';
import { readDocument } from './read-document.js';
import type { UpstreamFetch } from './upstream-fetch.js';
import { isUnderResource, resourceMetadataUrls } from './well-known.js';

/** What a server says about who issues tokens for it (RFC 9728). */
export interface ResourceMetadata {
  url: string;
  resource: string;
  authorizationServers: string[];
  scopes: string[];
  /** Whether the server takes tokens bound to a key (RFC 9449), or no others. */
  proofs: 'none' | 'spoken' | 'required';
}

/** What the search works with. */
export interface ResourceSearch {
  fetch: UpstreamFetch;
  upstream: Pick<upstreamContracts.UpstreamServer, 'url' | 'oauth'>;
  /** What the server's challenge named, or where the document was found before. */
  told: string | undefined;
  hops: Hops;
}

const MOST_SERVERS = 5;
const STEP = 'resource_metadata';
const ISSUER_BY_HAND = 'Set the issuer of its authorization server by hand, or ask whoever runs the server.';

/**
 * Looks for a server's metadata: at the address its challenge names, then at the well-known ones.
 * Undefined when there is none anywhere. Rejects with `DiscoveryFailed` when there is one that is
 * broken or speaks for another resource: going on as if there were none would let whoever broke it
 * choose the authorization server (auth.md section 5).
 */
export async function findResourceMetadata(search: ResourceSearch): Promise<ResourceMetadata | undefined> {
  const { told, upstream } = search;
  const urls = [...(told === undefined ? [] : [told]), ...resourceMetadataUrls(upstream.url)];
  for (const url of new Set(urls)) {
    const found = await metadataAt(url, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function metadataAt(url: string, search: ResourceSearch): Promise<ResourceMetadata | undefined> {
  const { hops, fetch } = search;
  const found = await readDocument(fetch, url);
  if (found.kind === 'absent') {
    hops.skipped(STEP, url, `No resource metadata here: ${found.words}.`);
    return undefined;
  }
  if (found.kind === 'broken') return broken(search, url, `The resource metadata cannot be read: ${found.words}.`);
  return checked(found.members, url, search);
}

function checked(members: JsonObject, url: string, search: ResourceSearch): ResourceMetadata {
  const { resource } = members;
  if (typeof resource !== 'string') return broken(search, url, 'The resource metadata does not name its resource.');
  const { upstream, hops } = search;
  // Whoever names a foreign resource would be handed tokens for it (RFC 9728 section 7.3).
  if (resource !== upstream.oauth.allowResource && !isUnderResource(upstream.url, resource)) {
    return broken(search, url, `The resource metadata is for ${resource.slice(0, 200)}, not for this server.`, `If that is right, allow the resource ${resource.slice(0, 200)} for this server.`);
  }
  const authorizationServers = texts(members['authorization_servers']).filter((each) => URL.canParse(each)).slice(0, MOST_SERVERS);
  const scopes = scopeNames(texts(members['scopes_supported']).join(' '));
  if (authorizationServers.length === 0 && upstream.oauth.issuer === undefined) return broken(search, url, 'The resource metadata names no authorization server.');
  hops.ok(STEP, url, `The server names its authorization server: ${authorizationServers.join(', ').slice(0, 300)}.`);
  return { url, resource, authorizationServers, scopes, proofs: proofsOf(members) };
}

function proofsOf(members: JsonObject): ResourceMetadata['proofs'] {
  if (members['dpop_bound_access_tokens_required'] === true) return 'required';
  return texts(members['dpop_signing_alg_values_supported']).includes('ES256') ? 'spoken' : 'none';
}

function broken({ hops }: ResourceSearch, url: string, words: string, advice = ISSUER_BY_HAND): never {
  hops.failed(STEP, url, words);
  throw new DiscoveryFailed(words, advice);
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
