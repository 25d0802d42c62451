import type { upstreamContracts } from '@gatehouse/contracts';
import type { JsonObject, JsonValue } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { ServerMetadata } from 'openid-client';
import type { Hops } from './hops.js';
import { readDocument } from './read-document.js';
import { troubleWords } from './trouble-words.js';
import type { UpstreamFetch } from './upstream-fetch.js';
import { isSameIssuer, issuerMetadataUrls } from './well-known.js';

/** What the search works with. */
export interface MetadataSearch {
  fetch: UpstreamFetch;
  outbound: Outbound;
  upstream: Pick<upstreamContracts.UpstreamServer, 'allowPrivateNetwork' | 'caCertificate' | 'oauth'>;
  hops: Hops;
}

/** What was found of an authorization server: `absent` when every address says that there is nothing. */
export type FoundMetadata = { kind: 'found'; metadata: ServerMetadata } | { kind: 'absent' } | { kind: 'failed'; words: string };

const STEP = 'authorization_server';
const TEXTS = ['token_endpoint_auth_methods_supported', 'token_endpoint_auth_signing_alg_values_supported', 'code_challenge_methods_supported', 'scopes_supported', 'grant_types_supported', 'dpop_signing_alg_values_supported'];
const FLAGS = ['client_id_metadata_document_supported', 'authorization_response_iss_parameter_supported', 'require_pushed_authorization_requests'];
const NEEDED = ['authorization_endpoint', 'token_endpoint'];
const WANTED = ['registration_endpoint', 'revocation_endpoint', 'pushed_authorization_request_endpoint'];

/**
 * Reads the metadata of the authorization server by that name. Accepted only if it names itself so,
 * up to one slash at the end, or by the alias that an administrator pinned (RFC 8414 section 3.3:
 * otherwise one server could pass itself off as another). What is no such document at one address is
 * looked for at the next.
 */
export async function findServerMetadata(issuer: string, search: MetadataSearch): Promise<FoundMetadata> {
  let worst: FoundMetadata = { kind: 'absent' };
  for (const url of issuerMetadataUrls(issuer)) {
    const found = await metadataAt(url, issuer, search);
    if (found.kind === 'found') return found;
    if (found.kind === 'failed' && worst.kind === 'absent') worst = found;
  }
  return worst;
}

async function metadataAt(url: string, issuer: string, search: MetadataSearch): Promise<FoundMetadata> {
  const { fetch, hops } = search;
  const found = await readDocument(fetch, url);
  if (found.kind === 'absent') {
    hops.skipped(STEP, url, `No metadata here: ${found.words}.`);
    return { kind: 'absent' };
  }
  if (found.kind === 'broken') return failed(search, url, `The authorization server’s metadata cannot be read: ${found.words}.`);
  return judged(found.members, { url, issuer }, search);
}

function judged(members: JsonObject, { url, issuer }: { url: string; issuer: string }, search: MetadataSearch): FoundMetadata {
  const { issuer: named } = members;
  const alias = search.upstream.oauth.issuerAlias;
  if (typeof named !== 'string') return failed(search, url, 'The authorization server’s metadata does not name its issuer.');
  if (!isSameIssuer(named, issuer) && named !== alias) {
    return failed(search, url, `The metadata is that of ${named.slice(0, 200)}, not of ${issuer.slice(0, 200)}; an administrator can set that name as the issuer alias if it is right.`);
  }
  const metadata = { ...knownMembers(members), issuer: named };
  const problem = endpointProblem(metadata, search);
  if (problem !== undefined) return failed(search, url, problem);
  search.hops.ok(STEP, url, `The authorization server ${named.slice(0, 200)} says how to sign in.`);
  return { kind: 'found', metadata: withoutUnreachable(metadata, search) };
}

function failed({ hops }: MetadataSearch, url: string, words: string): FoundMetadata {
  hops.failed(STEP, url, words);
  return { kind: 'failed', words };
}

// Members with another type than theirs are as good as absent; Slack sends `registration_endpoint: null`.
function knownMembers(members: JsonObject): Omit<ServerMetadata, 'issuer'> {
  const picked = (names: readonly string[], fits: (value: JsonValue) => boolean): [string, JsonValue][] =>
    names.flatMap((name) => (members[name] !== undefined && fits(members[name]) ? [[name, members[name]] as [string, JsonValue]] : []));
  const isText = (value: JsonValue): boolean => typeof value === 'string';
  return Object.fromEntries([
    ...picked([...NEEDED, ...WANTED], isText),
    ...picked(TEXTS, (value) => Array.isArray(value) && value.every(isText)),
    ...picked(FLAGS, (value) => typeof value === 'boolean'),
  ]);
}

function endpointProblem(metadata: ServerMetadata, { outbound, upstream }: MetadataSearch): string | undefined {
  for (const name of NEEDED) {
    const given = endpointOf(upstream, name) ?? metadata[name];
    // An authorization server for programs only has no page to send people to.
    if (given === undefined && name === 'authorization_endpoint' && upstream.oauth.grant !== undefined && upstream.oauth.grant !== 'authorization_code') continue;
    const problem = typeof given === 'string' ? reachProblem(outbound, given, upstream) : 'it is missing';
    if (problem !== undefined) return `The authorization server’s ${name.replace('_', ' ')} cannot be used: ${problem}.`;
  }
  return undefined;
}

function endpointOf({ oauth }: MetadataSearch['upstream'], name: string): string | undefined {
  return name === 'token_endpoint' ? oauth.tokenUrl : oauth.authorizeUrl;
}

function withoutUnreachable(metadata: ServerMetadata, { outbound, upstream }: MetadataSearch): ServerMetadata {
  const bad = WANTED.filter((name) => typeof metadata[name] === 'string' && reachProblem(outbound, metadata[name], upstream) !== undefined);
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !bad.includes(name))) as ServerMetadata;
}

/** Why an address must not be used, as half a sentence; undefined when its form is fine. Names are judged when they are dialled. */
export function reachProblem(outbound: Outbound, url: string, { allowPrivateNetwork }: { allowPrivateNetwork: boolean }): string | undefined {
  try {
    outbound.destination(url, { allowPrivateNetwork });
    return undefined;
  } catch (error) {
    return troubleWords(error);
  }
}
