import { errors, type ClientMetadata } from 'oidc-provider';

const MOST_URIS = 10;
const URI_CHARS = 512;
const NAME_CHARS = 80;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Members a client may name and must not decide: a stored scope would block a later step-up (auth.md A5). */
const DROPPED = ['scope', 'sector_identifier_uri', 'default_acr_values', 'require_auth_time', 'default_max_age', 'initiate_login_uri', 'post_logout_redirect_uris', 'backchannel_logout_uri', 'frontchannel_logout_uri', 'subject_type', 'request_uris'];
/** Members of ours, which only we write. */
const OURS = ['gh_generation'];
const SELF_SERVICE_GRANTS = ['authorization_code', 'refresh_token'];

/** What decides about the metadata of one client. */
export interface MetadataRules {
  /** Registers itself, by DCR or by document: then it may have the two usual grants only. */
  selfService: boolean;
  /** Private-use schemes that an administrator allowed, without colon. */
  redirectSchemes: readonly string[];
}

/**
 * Brings what a client says of itself into the one form we accept, in place, before the library looks
 * at it (auth.md section 3, hook 1). Refuses with `invalid_redirect_uri` and `invalid_client_metadata`
 * at registration what the authorization endpoint would refuse later.
 */
export function normalizeClient(metadata: ClientMetadata, rules: MetadataRules): void {
  for (const member of DROPPED) delete metadata[member];
  const uris = redirectUris(metadata, rules);
  metadata.application_type = uris.some(isNative) ? 'native' : 'web';
  metadata.response_types = uris.length === 0 ? [] : ['code'];
  if (rules.selfService) dropOurs(metadata);
  // The library put its default in by now; a document that says so itself was refused before (A4).
  if (metadata.client_id.startsWith('https://') && metadata.token_endpoint_auth_method === 'client_secret_basic') metadata.token_endpoint_auth_method = 'none';
  if (metadata.client_name !== undefined) metadata.client_name = cleanName(metadata.client_name);
}

function dropOurs(metadata: ClientMetadata): void {
  for (const member of OURS) delete metadata[member];
  metadata.grant_types = wantedGrants(metadata);
}

/** A redirect URI on this machine: its port may vary (RFC 8252 section 7.3). */
export function isLoopback(uri: string): boolean {
  const url = new URL(uri);
  return url.protocol === 'http:' && LOOPBACK.has(url.hostname);
}

function isNative(uri: string): boolean {
  return new URL(uri).protocol !== 'https:';
}

function redirectUris(metadata: ClientMetadata, rules: MetadataRules): readonly string[] {
  const uris: unknown = metadata.redirect_uris ?? [];
  if (!Array.isArray(uris) || uris.length > MOST_URIS) throw new errors.InvalidRedirectUri();
  if (rules.selfService && uris.length === 0) throw new errors.InvalidRedirectUri('a client needs a redirect URI');
  for (const uri of uris) {
    const problem = typeof uri === 'string' ? redirectProblem(uri, rules) : 'is not a text';
    if (problem !== undefined) throw new errors.InvalidRedirectUri(`a redirect URI ${problem}`);
  }
  return uris as string[];
}

function redirectProblem(uri: string, { redirectSchemes }: MetadataRules): string | undefined {
  if (uri.length > URI_CHARS) return 'is too long';
  // eslint-disable-next-line no-control-regex -- what a browser would drop, so that it goes elsewhere than it says
  if (/[\u0000-\u0020\u007f\\*]/.test(uri) || !URL.canParse(uri)) return 'is not a URL';
  const url = new URL(uri);
  if (uri.includes('#')) return 'has a fragment';
  return url.username !== '' || url.password !== '' ? 'names a user' : schemeProblem(url, redirectSchemes);
}

function schemeProblem({ protocol, hostname }: URL, redirectSchemes: readonly string[]): string | undefined {
  if (protocol === 'https:') return undefined;
  if (protocol === 'http:') return LOOPBACK.has(hostname) ? undefined : 'is not encrypted';
  return redirectSchemes.includes(protocol.slice(0, -1)) ? undefined : 'has a scheme that is not allowed here';
}

// What a client asks for beyond the two usual grants it does not get; it is not refused for asking (VS Code lists device_code).
function wantedGrants(metadata: ClientMetadata): string[] {
  const asked: unknown = metadata.grant_types;
  if (!Array.isArray(asked)) return [...SELF_SERVICE_GRANTS];
  const kept = SELF_SERVICE_GRANTS.filter((grant) => asked.includes(grant));
  return kept.includes('authorization_code') ? kept : ['authorization_code', ...kept];
}

/** A name as people may be shown it: one line, no characters that hide or turn others around. */
function cleanName(name: unknown): string {
  if (typeof name !== 'string') throw new errors.InvalidClientMetadata('client_name must be a text');
  return [...name.normalize('NFKC').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')].slice(0, NAME_CHARS).join('').trim();
}
