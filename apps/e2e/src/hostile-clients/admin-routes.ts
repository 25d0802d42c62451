/** A route of the admin API and who may use it: a capability, or anybody who is signed in. */
export interface AdminRoute {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As the router prints it. */
  route: string;
  /** A path of the route that leads to something. */
  path: string;
  memberMay: boolean;
}

const route = (method: AdminRoute['method'], pattern: string, memberMay = false): AdminRoute => ({
  method,
  route: `/api/v1${pattern}`,
  path: pattern.replace(':name', 'plain').replace(':id', 'tok_019a0000-0000-7000-8000-000000000000'),
  memberMay,
});

/** Every route of the admin API. The story compares them with what the router says it has. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  route('GET', '/servers'),
  route('POST', '/servers'),
  route('GET', '/servers/:name'),
  route('GET', '/servers/:name/tools'),
  route('POST', '/servers/:name/probe'),
  route('POST', '/servers/:name/stop'),
  route('POST', '/servers/:name/start'),
  route('DELETE', '/servers/:name'),
  route('GET', '/policies'),
  route('POST', '/policies/apply'),
  route('POST', '/policies/test'),
  route('GET', '/policies/:name'),
  route('PUT', '/policies/:name'),
  route('DELETE', '/policies/:name'),
  route('GET', '/people'),
  route('POST', '/people'),
  route('POST', '/people/:id/disable'),
  route('GET', '/tokens', true),
  route('POST', '/tokens', true),
  route('POST', '/tokens/:id/revoke', true),
  route('GET', '/audit/records'),
  route('GET', '/whoami', true),
];

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
const JSON_TYPE = { 'content-type': 'application/json' };
const server = (more: object): object => ({ name: 'wanted', url: 'https://mcp.example/mcp', ...more });
const withHeader = (name: string, value = 'a-value-of-some-length'): object => server({ auth: { kind: 'headers', headers: [{ name, value, secret: true }] } });

/** Bodies that want to say more than they may, or something else. */
export const BAD_BODIES: readonly BadChange[] = [
  ...['id', 'state', 'revision', 'identityId', 'tenant', 'owner', 'createdAt', 'command', 'args', 'env'].map((field) =>
    change(`a server with ${field}`, BAD, 'POST', '/servers', server({ [field]: 'x' })),
  ),
  ...['id', 'capabilities', 'status', 'tenant'].map((field) => change(`a person with ${field}`, BAD, 'POST', '/people', { name: 'Eve', [field]: 'x' })),
  ...['token', 'digest', 'id', 'revokedAt'].map((field) => change(`a token with ${field}`, BAD, 'POST', '/tokens', { name: 'mine', [field]: 'x' })),
  change('a role that is none', BAD, 'POST', '/people', { name: 'Eve', roles: ['owner'] }),
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
  ...['http://169.254.169.254/latest/meta-data/', 'https://169.254.169.254/', 'https://127.0.0.1/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://0x7f.1/', 'https://2130706433/', 'https://10.0.0.1/', 'file:///etc/passwd', 'javascript:alert(1)', 'https://user:pass@mcp.example/', 'https://mcp.example/#x', 'ftp://mcp.example/', 'no url'].map((url) =>
    change(`the address ${url}`, URL_REFUSED, 'POST', '/servers', server({ url })),
  ),
  change('the metadata service with the allowance', URL_REFUSED, 'POST', '/servers', server({ url: 'http://169.254.169.254/', allowPrivateNetwork: true })),
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Mcp-Session-Id', 'mcp-protocol-version'].map((name) => change(`the header ${name}`, HEADER_REFUSED, 'POST', '/servers', withHeader(name))),
  change('a header value with a line break', HEADER_REFUSED, 'POST', '/servers', withHeader('X-Api-Key', 'a\r\nHost: evil.example')),
  change('a header twice', HEADER_REFUSED, 'POST', '/servers', server({ auth: { kind: 'headers', headers: [{ name: 'X-Key', value: 'aaaaaaaaaa', secret: true }, { name: 'x-key', value: 'b' }] } })),
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
