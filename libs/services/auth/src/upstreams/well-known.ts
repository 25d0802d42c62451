/** Addresses where the metadata of a protected resource may be (RFC 9728 section 3.1): of the very address, then of its host. */
export function resourceMetadataUrls(server: string): string[] {
  const { origin, pathname, search } = new URL(server);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname.replace(/\/$/, '');
  return path === '' && search === '' ? [root] : [`${root}${path}${search}`, root];
}

/**
 * Addresses where the metadata of an authorization server may be, in the order of the MCP
 * specification (RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4), and last where some
 * append it to the issuer's path (Okta).
 */
export function issuerMetadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const oauth = `${origin}/.well-known/oauth-authorization-server`;
  const openid = `${origin}/.well-known/openid-configuration`;
  if (path === '') return [oauth, openid];
  return [`${oauth}${path}`, `${openid}${path}`, `${origin}${path}/.well-known/openid-configuration`, `${origin}${path}/.well-known/oauth-authorization-server`];
}

/** Whether a server's address lies under what its metadata says it is for: same origin, path in whole segments. */
export function isUnderResource(server: string, resource: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [asked, named] = [new URL(server), new URL(resource)];
  if (named.hash !== '' || asked.origin !== named.origin) return false;
  const slashed = (path: string): string => (path.endsWith('/') ? path : `${path}/`);
  return slashed(asked.pathname).startsWith(slashed(named.pathname));
}

/** Two spellings of one issuer: they may differ by one slash at the end and by nothing else. */
export function isSameIssuer(one: string, other: string): boolean {
  const bare = (issuer: string): string => issuer.replace(/\/$/, '');
  return bare(one) === bare(other);
}
