import { Refusal } from '@gatehouse/kernel';

const SCHEME = /^[a-z][a-z0-9+.-]*:/;
const MISLEADING_CHARACTERS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/u;
// A dot segment between real, encoded or missing separators: `/../`, `%2f../`, `file:..`.
const DOT_SEGMENT = /(^|[:/]|%2f|%5c)\.{1,2}($|[/?#;]|%2f|%5c)/i;
// An unreserved character written as %XX means the same as itself (RFC 3986 section 6.2.2.2); %25 before
// it is the same trick against a server that decodes twice.
const ENCODED_UNRESERVED = /%(25)*(2d|2e|5f|7e|3[0-9]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/i;
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/;
const SPELLINGS: readonly [RegExp, string][] = [
  [MISLEADING_CHARACTERS, 'character'],
  [DOT_SEGMENT, 'dot_segment'],
  [ENCODED_UNRESERVED, 'encoded_character'],
];
const HOST_IS_NORMALISED = new Set(['http:', 'https:', 'ws:', 'wss:', 'ftp:', 'file:']);

/**
 * Refuses `bad_params` {reason} for a resource URI that has another spelling which a server may take for
 * the same resource: decisions compare exact text, so only one spelling may pass (RFC 3986 section 6).
 * Refused: no scheme or an upper-case one, dot segments (encoded ones too), unreserved characters as
 * %XX, user information, backslashes, control and invisible characters, and for web and file schemes a
 * host that a browser's parser would rewrite (upper case, default port, short IPv4 forms). Nothing is
 * normalised: what was judged is what goes out. URI templates pass when their literal text does.
 */
export function requireCanonicalUri(uri: string): void {
  const scheme = SCHEME.exec(uri)?.[0];
  if (scheme === undefined) throw notCanonical('scheme');
  for (const [pattern, problem] of SPELLINGS) if (pattern.test(uri)) throw notCanonical(problem);
  const authority = AUTHORITY.exec(uri)?.[1];
  if (authority?.includes('@') === true) throw notCanonical('user_information');
  if (HOST_IS_NORMALISED.has(scheme) && authority !== hostOf(uri)) throw notCanonical('host');
}

function hostOf(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).host : undefined;
}

function notCanonical(problem: string): Refusal {
  return new Refusal('bad_params', { reason: 'uri_not_canonical', problem });
}
