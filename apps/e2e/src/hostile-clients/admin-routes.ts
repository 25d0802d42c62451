/** A route of the admin API as the OpenAPI document tells it. */
export interface AdminRoute {
  method: string;
  /** As the router prints it. */
  route: string;
  /** A path of the route, below `/api/v1`; for servers it leads to something. */
  path: string;
  /** A capability, or `signed-in`. */
  need: string;
}

const BASE = '/api/v1';

/** Every route of the admin API that demands something, by the document of the edge at this address. */
export async function adminRoutes(edge: string): Promise<AdminRoute[]> {
  const { paths } = (await (await fetch(`${edge}/api/openapi.json`)).json()) as { paths: Record<string, Record<string, any>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    path.startsWith(BASE) ? Object.entries(methods).map(([method, operation]) => routeOf(method, path, operation)) : [],
  );
}

function routeOf(method: string, path: string, operation: any): AdminRoute {
  const examples = new Map<string, string>((operation.parameters ?? []).map((each: any) => [each.name, each.example]));
  const exampleOf = (name: string): string => (path.startsWith(`${BASE}/servers/`) ? 'plain' : encodeURIComponent(examples.get(name)!));
  return {
    method: method.toUpperCase(),
    route: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    path: path.slice(BASE.length).replaceAll(/\{(\w+)\}/g, (_whole, name: string) => exampleOf(name)),
    need: operation['x-gatehouse-capability'],
  };
}

const BAD = [400, 'bad_request'] as const;
const URL_REFUSED = [422, 'url_refused'] as const;
const HEADER_REFUSED = [422, 'header_refused'] as const;
const CURSOR = [400, 'invalid_cursor'] as const;
const CHANGED = [412, 'precondition_failed'] as const;
const NOWHERE = [404, 'not_found'] as const;

/** One request of an administrator that is wrong, and what it must hear. */
export interface BadChange {
  name: string;
  method: string;
  path: string;
  body: unknown;
  headers: Record<string, string>;
  status: number;
  code: string;
}

type Parts = [method: string, path: string, body?: unknown, headers?: Record<string, string>];

const change = (name: string, [status, code]: readonly [number, string], ...[method, path, body, headers = {}]: Parts): BadChange => ({
  ...{ name, method, path, body, headers, status, code },
});
const NOBODY = '/people/per_019a0000-0000-7000-8000-000000000000';
const JSON_TYPE = { 'content-type': 'application/json' };
const server = (more: object): object => ({ name: 'wanted', url: 'https://mcp.example/mcp', ...more });
const withHeader = (name: string, value = 'a-value-of-some-length'): object => server({ auth: { kind: 'headers', headers: [{ name, value, secret: true }] } });

/** Where nothing may be reached, and what is no address. */
const ADDRESSES = [
  'http://169.254.169.254/latest/meta-data/',
  'https://169.254.169.254/',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://10.0.0.1/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'https://user:pass@mcp.example/',
  'https://mcp.example/#x',
  'ftp://mcp.example/',
  'no url',
];

/** Bodies that want to say more than they may, or something else. */
export const BAD_BODIES: readonly BadChange[] = [
  ...['id', 'state', 'revision', 'identityId', 'tenant', 'owner', 'createdAt', 'command', 'args', 'env'].map((field) =>
    change(`a server with ${field}`, BAD, 'POST', '/servers', server({ [field]: 'x' })),
  ),
  ...['id', 'capabilities', 'status', 'tenant'].map((field) => change(`a person with ${field}`, BAD, 'POST', '/people', { name: 'Eve', [field]: 'x' })),
  ...['token', 'digest', 'id', 'revokedAt'].map((field) => change(`a token with ${field}`, BAD, 'POST', '/tokens', { name: 'mine', [field]: 'x' })),
  change('a role that is none', BAD, 'POST', '/people', { name: 'Eve', roles: ['owner'] }),
  ...['id', 'status', 'source', 'effective', 'capabilities'].map((field) => change(`a change of a person's ${field}`, BAD, 'PATCH', NOBODY, { [field]: 'x' })),
  change('a role of administrators', [409, 'conflict'], 'PUT', '/roles/administrator', { capabilities: [] }),
  change('a capability that is none', BAD, 'PUT', '/roles/wanted', { capabilities: ['everything'] }),
  change('a team with a role that is none', BAD, 'PUT', '/teams/wanted', { roles: ['owner'] }),
  change('a service account with a secret of its own', BAD, 'POST', '/service-accounts', { name: 'job', auth: { method: 'secret', secret: 'x' } }),
  change('a client that is trusted', BAD, 'POST', '/clients', { name: 'mine', firstParty: true }),
  change('rules about clients in other words', BAD, 'PUT', '/client-registration', { dynamic: 'everybody' }),
  change('a provider at no address', BAD, 'PUT', '/identity-providers/wanted', { displayName: 'x', clientId: 'x', issuer: 'javascript:alert(1)' }),
  change('a verb with a body it does not read', BAD, 'POST', '/servers/plain/stop', { force: true }),
  change('a person without a name', BAD, 'POST', '/people', { email: 'eve@example.com' }),
  change('a name that moves the cursor', BAD, 'POST', '/people', { name: 'Eve\u001b[2J' }),
  change('a name that turns around', BAD, 'POST', '/people', { name: 'Eve\u202e' }),
  change('a scope that is none', BAD, 'POST', '/tokens', { name: 'mine', scopes: ['root'] }),
  change('a token for nobody', BAD, 'POST', '/tokens', { name: 'mine', personId: 'per_1' }),
  change('a server name that is a path', BAD, 'POST', '/servers', server({ name: '../x' })),
  change('a url that is a number', BAD, 'POST', '/servers', server({ url: 7 })),
  change('a stdio transport', BAD, 'POST', '/servers', server({ transport: 'stdio' })),
  change('a body that is a list', BAD, 'POST', '/servers', [server({})]),
  change('a body that is null', BAD, 'POST', '/servers', 'null', JSON_TYPE),
  change('no body', BAD, 'POST', '/servers'),
  change('a body that is no JSON', BAD, 'POST', '/servers', '{"name":', JSON_TYPE),
  change('a body with __proto__', BAD, 'POST', '/servers', '{"name":"x","url":"https://a.example","__proto__":{"admin":true}}', JSON_TYPE),
  change('a body with constructor.prototype', BAD, 'POST', '/servers', '{"name":"x","url":"https://a.example","constructor":{"prototype":{"admin":true}}}', JSON_TYPE),
  change('a policy without text', BAD, 'POST', '/policies/apply', { policies: [{ name: 'p' }] }),
  change('a policy that is none', [422, 'invalid_policy'], 'POST', '/policies/apply', { policies: [{ name: 'p', text: 'permit everything' }] }),
  change('a policy as text that is none', [422, 'invalid_policy'], 'PUT', '/policies/p', 'permit everything'),
  change('a policy of 70 KB', BAD, 'POST', '/policies/apply', { policies: [{ name: 'p', text: `// ${'x'.repeat(70_000)}` }] }),
  change('a body of 2 MB', [413, 'too_large'], 'POST', '/policies/apply', { policies: [{ name: 'p', text: 'x'.repeat(2_000_000) }] }),
  change('a form', [415, 'unsupported_media_type'], 'POST', '/servers', 'name=x', { 'content-type': 'application/x-www-form-urlencoded' }),
  change('text', [415, 'unsupported_media_type'], 'POST', '/servers', '{}', { 'content-type': 'text/plain' }),
];

/** Addresses and headers that must not be stored. */
export const BAD_SERVERS: readonly BadChange[] = [
  ...ADDRESSES.map((url) =>
    change(`the address ${url}`, URL_REFUSED, 'POST', '/servers', server({ url })),
  ),
  ...ADDRESSES.map((url) => change(`a registry at ${url}`, URL_REFUSED, 'POST', '/catalogue/import', { url })),
  change('the metadata service with the allowance', URL_REFUSED, 'POST', '/servers', server({ url: 'http://169.254.169.254/', allowPrivateNetwork: true })),
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Mcp-Session-Id', 'mcp-protocol-version'].map((name) => change(`the header ${name}`, HEADER_REFUSED, 'POST', '/servers', withHeader(name))),
  change('a header value with a line break', HEADER_REFUSED, 'POST', '/servers', withHeader('X-Api-Key', 'a\r\nHost: evil.example')),
  change('a header twice', HEADER_REFUSED, 'POST', '/servers', server({ auth: { kind: 'headers', headers: [{ name: 'X-Key', value: 'aaaaaaaaaa', secret: true }, { name: 'x-key', value: 'b' }] } })),
  ...['http://169.254.169.254/', 'https://127.0.0.1/', 'https://10.0.0.1/'].map((issuer) =>
    change(`a test of the provider ${issuer}`, URL_REFUSED, 'POST', '/identity-providers/test', { issuer }),
  ),
  change('a name that is taken', [409, 'conflict'], 'POST', '/servers', server({ name: 'plain' })),
];

/** Questions and preconditions that do not fit. */
export const BAD_QUESTIONS: readonly BadChange[] = [
  ...['x', '0', 'eyJhZnRlciI6OTl9', '%27%20OR%201=1', '..'].map((cursor) => change(`the cursor ${cursor}`, CURSOR, 'GET', `/audit/records?cursor=${cursor}`)),
  change('a cursor of 600 characters', BAD, 'GET', `/audit/records?cursor=${'x'.repeat(600)}`),
  ...['limit=0', 'limit=1001', 'limit=x', 'since=-1', 'since=x', 'outcome=fine', 'kind=all', 'order=desc', 'caller[$ne]=x', 'waitMs=60000', 'tool=a&tool=b'].map((query) =>
    change(`the question ${query}`, BAD, 'GET', `/audit/records?${query}`),
  ),
  ...['"7"', '"0"', '7', '*', 'W/"1"', '"x"'].map((match) => change(`If-Match ${match}`, CHANGED, 'POST', '/servers/plain/stop', undefined, { 'if-match': match })),
  change('If-Match of another revision, to remove', CHANGED, 'DELETE', '/servers/plain', undefined, { 'if-match': '"99"' }),
  change('a server that is not there', [404, 'unknown_server'], 'GET', '/servers/not-there'),
  change('a server that cannot be', [404, 'unknown_server'], 'GET', '/servers/%2e%2e%2fplain'),
  change('a policy that is not there', NOWHERE, 'GET', '/policies/not-there'),
  change('a policy that cannot be', NOWHERE, 'GET', '/policies/%2e%2e'),
  change('a kind of item that is none', BAD, 'GET', '/servers/plain/tools?kind=weapon'),
  change('a token that is not there', NOWHERE, 'POST', '/tokens/tok_019a0000-0000-7000-8000-000000000000/revoke'),
  change('a token that cannot be', NOWHERE, 'POST', '/tokens/x/revoke'),
  change('a person that is not there', NOWHERE, 'POST', '/people/per_019a0000-0000-7000-8000-000000000000/disable'),
  change('a slash too many', NOWHERE, 'GET', '/servers/'),
  change('another case', NOWHERE, 'GET', '/Servers'),
  change('two slashes', NOWHERE, 'GET', '//servers'),
  change('an escape that is none', BAD, 'GET', '/servers/%zz'),
  change('a name of a thousand characters', BAD, 'GET', `/servers/${'x'.repeat(1_000)}`),
  change('a name of 128 characters that is not there', NOWHERE, 'GET', `/policies/${'x'.repeat(128)}`),
  change('a verb without a route', NOWHERE, 'PUT', '/servers', {}),
  change('another host', [403, 'origin_denied'], 'GET', '/servers', undefined, { origin: 'https://evil.example' }),
];
