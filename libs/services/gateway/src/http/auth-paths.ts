/** What the edge knows of a path that auth answers. */
export interface AuthPath {
  /** The entry of the table: what records name, since the rest of a path may hold ids. */
  readonly prefix: string;
  /** Pages of anybody may ask (browser-based clients); auth answers them without credentials. */
  readonly anyOrigin: boolean;
  readonly maxBodyBytes: number;
}

const KIB = 1_024;

const row = (prefix: string, anyOrigin = false, maxBodyBytes = 64 * KIB): AuthPath => ({ prefix, anyOrigin, maxBodyBytes });

/** Everything at the edge's address that auth answers: sign-in, our authorization server, accounts at upstreams, provisioning. */
const AUTH_PATHS: readonly AuthPath[] = [
  row('/'),
  row('/authorize'),
  row('/token', true),
  row('/register', true),
  row('/revoke', true),
  row('/par', true),
  row('/jwks', true),
  row('/session'),
  row('/interaction'),
  row('/login'),
  row('/logout'),
  row('/connect'),
  row('/oauth'),
  row('/scim/v2', false, KIB * KIB),
  row('/.well-known/oauth-authorization-server', true),
  row('/.well-known/openid-configuration', true),
];

const FIRST = new Map(AUTH_PATHS.map((path) => [path.prefix.split('/', 3).slice(0, path.prefix.startsWith('/.') ? 3 : 2).join('/'), path]));

// One spelling of a path for edge and auth: no doubled slash, no dot segment, nothing escaped that could become one (E-19).
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9._~:@!$&'()*+,=-]|%(?!2[ef5]|5c|[01])[0-9a-f]{2})+)+\/?$/i;

/** The row of the table that a request target falls under, if any. */
export function authPathOf(url: string | undefined): AuthPath | undefined {
  const path = (url ?? '').split('?', 1)[0]!;
  const found = FIRST.get(path.startsWith('/.') ? path.split('/', 3).join('/') : path.split('/', 2).join('/'));
  if (found === undefined || !(path === found.prefix || path.startsWith(`${found.prefix}/`))) return undefined;
  return PLAIN.test(path) || path === '/' ? found : undefined;
}
