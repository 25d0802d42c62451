/** One cookie as a browser keeps it (RFC 6265bis section 5.7). */
export interface Cookie {
  name: string;
  value: string;
  /** The host that set it, or the Domain attribute without its leading dot. */
  domain: string;
  /** True when no Domain attribute was sent: then only exactly this host gets it. */
  hostOnly: boolean;
  path: string;
  secure: boolean;
  httpOnly: boolean;
  /** As written by the server; kept for asserts, not enforced. */
  sameSite: string | undefined;
  /** Milliseconds since the epoch; undefined for a session cookie. */
  expiresAt: number | undefined;
}

const MAX_PAIR = 4_096;
const IP_OR_LOCAL = /^(\d+\.\d+\.\d+\.\d+|\[.*\]|localhost)$/;

/**
 * Reads one `Set-Cookie` header as a strict browser does: `Secure` needs https, also on loopback;
 * `__Host-` and `__Secure-` keep what they promise. Undefined for a cookie that a browser drops.
 */
export function parseSetCookie(header: string, from: URL, now: number): Cookie | undefined {
  const [pair = '', ...rest] = header.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  const value = pair.slice(equals + 1).trim();
  if (equals < 1 || name === '' || name.length + value.length > MAX_PAIR) return undefined;
  const attributes = attributesOf(rest);
  const domain = domainOf(attributes.get('domain'), from.hostname);
  if (domain === undefined) return undefined;
  const cookie: Cookie = {
    name,
    value,
    domain: domain === '' ? from.hostname : domain,
    hostOnly: domain === '',
    path: pathOf(attributes.get('path'), from.pathname),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: attributes.get('samesite'),
    expiresAt: expiryOf(attributes, now),
  };
  return keepsItsPromises(cookie, from, attributes) ? cookie : undefined;
}

function attributesOf(parts: readonly string[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const part of parts) {
    const [key = '', ...value] = part.split('=');
    attributes.set(key.trim().toLowerCase(), value.join('=').trim());
  }
  return attributes;
}

/** Empty for a host-only cookie, undefined for a domain that is not the host's own. */
function domainOf(attribute: string | undefined, host: string): string | undefined {
  const domain = (attribute ?? '').replace(/^\./, '').toLowerCase();
  if (domain === '') return '';
  if (domain === host) return IP_OR_LOCAL.test(host) ? '' : domain;
  // A single label is a public suffix: nobody may set a cookie for all of "example".
  return host.endsWith(`.${domain}`) && domain.includes('.') && !IP_OR_LOCAL.test(host) ? domain : undefined;
}

function pathOf(attribute: string | undefined, requested: string): string {
  if (attribute?.startsWith('/') === true) return attribute;
  const lastSlash = requested.lastIndexOf('/');
  return lastSlash <= 0 ? '/' : requested.slice(0, lastSlash);
}

function expiryOf(attributes: Map<string, string>, now: number): number | undefined {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Number(maxAge) * 1_000;
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : expires;
}

function keepsItsPromises(cookie: Cookie, from: URL, attributes: Map<string, string>): boolean {
  const isSafe = cookie.secure && from.protocol === 'https:';
  if (cookie.secure && !isSafe) return false;
  const name = cookie.name.toLowerCase();
  if (name.startsWith('__host-')) return isSafe && !attributes.get('domain') && attributes.get('path') === '/';
  return isSafe || !name.startsWith('__secure-');
}
