import { bad, CALL, requestBytes, type BadRequest } from './bad-request.js';

const NOWHERE = [404, 'not_found'] as const;
const NO_VERB = [405, 'method_not_allowed'] as const;
const NOBODY = [401, 'unauthenticated'] as const;
const FOREIGN = [403, 'origin_denied'] as const;
const BAD = [400, 'bad_request'] as const;
const VERSION = [400, 'unsupported_protocol_version'] as const;
const SESSION = [404, 'unknown_session'] as const;

const STATELESS = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'get_issue', arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
});

/** Spellings of the endpoint's path, and verbs it has no answer for (E-19). */
export const BAD_ROUTES: readonly BadRequest[] = [
  ...['/', '//', ';x', '%2f', '/..', '/.', '/x', '\\', '#x', '%20'].map((more) =>
    bad('E-19', NOWHERE, `${more} behind the path`, { path: ({ server }) => `/mcp/${server}${more}` }),
  ),
  bad('E-19', NOWHERE, 'a doubled slash', { path: ({ server }) => `/mcp//${server}` }),
  bad('E-19', NOWHERE, 'a doubled slash in front', { path: ({ server }) => `//mcp/${server}` }),
  bad('E-19', NOWHERE, 'upper case in front', { path: ({ server }) => `/MCP/${server}` }),
  bad('E-19', NOWHERE, 'an upper-case name', { path: ({ server }) => `/mcp/${server.toUpperCase()}` }),
  bad('E-19', NOWHERE, 'an escaped letter', { path: ({ server }) => `/mcp/%${server.charCodeAt(0).toString(16)}${server.slice(1)}` }),
  bad('E-19', NOWHERE, 'a way around', { path: ({ server }) => `/mcp/x/../${server}` }),
  bad('E-19', NOWHERE, 'no name', { path: () => '/mcp/' }),
  bad('E-19', NOWHERE, 'nothing behind mcp', { path: () => '/mcp' }),
  bad('E-19', NOWHERE, 'an absolute form', { path: ({ server, host }) => `http://${host}/mcp/${server}` }),
  bad('E-19', NOWHERE, 'an absolute form of another host', { path: ({ server }) => `http://evil.example/mcp/${server}` }),
  bad('E-19', NOWHERE, 'a dead end', { path: () => '/.env' }),
  bad('E-19', [404, 'unknown_server'], 'a server that is not there', { path: () => '/mcp/not-there' }),
  ...['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH'].map((method) => bad('E-19', NO_VERB, `the verb ${method}`, { method })),
];

/** Requests of nobody, or of somebody twice (E-21). */
export const BAD_CALLERS: readonly BadRequest[] = [
  bad('E-21', NOBODY, 'no token', { headers: { authorization: undefined } }),
  bad('E-21', NOBODY, 'a wrong token', { headers: { authorization: 'Bearer ghp_gatehouse_wrong' } }),
  bad('E-21', NOBODY, 'another scheme', { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } }),
  { ...bad('E-21', NOBODY, 'the token in the query', {}), bytes: (at) => requestBytes(at, { path: () => `/mcp/${at.server}?access_token=${at.token}`, headers: { authorization: undefined } }) },
  { ...bad('E-21', NOBODY, 'the token in a cookie', {}), bytes: (at) => requestBytes(at, { headers: { authorization: undefined, cookie: `token=${at.token}` } }) },
  { ...bad('E-21', BAD, 'two tokens', {}), bytes: (at) => requestBytes(at, { lines: () => `Authorization: Bearer ${at.token}\r\n` }) },
  bad('E-21', BAD, 'a wrong token behind the right one', { lines: () => 'Authorization: Bearer other\r\n' }),
  bad('E-21', BAD, 'two sessions', { lines: ({ session }) => `Mcp-Session-Id: ${session}\r\n` }),
  bad('E-21', BAD, 'two content types', { lines: () => 'Content-Type: text/plain\r\n' }),
  bad('E-21', BAD, 'two hosts', { lines: () => 'Host: evil.example\r\n' }),
];

/** Requests for another host, from another page, in another version or session (E-05, E-18, E-43). */
export const BAD_SURROUNDINGS: readonly BadRequest[] = [
  ...['evil.example', '169.254.169.254', 'localhost', ''].map((host) => bad('E-18', FOREIGN, `the host "${host}"`, { headers: { host } })),
  bad('E-18', FOREIGN, 'no host', { headers: { host: undefined } }),
  ...['null', 'https://evil.example', 'file://', 'http://127.0.0.1.evil.example'].map((origin) => bad('E-18', FOREIGN, `the origin ${origin}`, { headers: { origin } })),
  { ...bad('E-18', FOREIGN, 'an origin that ends like ours', {}), bytes: (at) => requestBytes(at, { headers: { origin: `http://evil-${at.host}` } }) },
  ...['1999-01-01', 'latest', '2025-11-25, 2025-06-18'].map((version) => bad('E-05', VERSION, `the version ${version}`, { headers: { 'mcp-protocol-version': version } })),
  bad('E-05', VERSION, 'a version of the stateless era', { headers: { 'mcp-protocol-version': '2026-07-28' } }),
  bad('E-05', VERSION, 'a claim of the stateless era', { body: STATELESS }),
  bad('E-43', [400, 'session_required'], 'no session', { headers: { 'mcp-session-id': undefined } }),
  ...['forged', '../../etc/passwd', Buffer.alloc(200, 7).toString('base64url'), '{"personId":"per_1"}'].map((id) =>
    bad('E-43', SESSION, `the session ${id.slice(0, 20)}`, { headers: { 'mcp-session-id': id } }),
  ),
  bad('E-43', SESSION, 'a session to end that is none', { method: 'DELETE', headers: { 'mcp-session-id': 'forged', 'content-type': undefined }, body: '' }),
  bad('E-02', [406, 'not_acceptable'], 'a stream for a client that takes no events', { method: 'GET', headers: { accept: 'application/json', 'content-type': undefined }, body: '' }),
  bad('E-20', [406, 'not_acceptable'], 'a change to another protocol', {
    method: 'GET',
    headers: { accept: '*/*', connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13', 'content-type': undefined },
    body: '',
  }),
];

const hidden = (at: { host: string; server: string; token: string; session: string }): string =>
  `POST /mcp/${at.server} HTTP/1.1\r\nHost: ${at.host}\r\nAuthorization: Bearer ${at.token}\r\nMcp-Session-Id: ${at.session}\r\n` +
  `Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nUser-Agent: smuggled\r\nContent-Length: ${CALL.length}\r\n\r\n${CALL}`;

type At = Parameters<typeof hidden>[0];
const start = (at: At): string => `POST /mcp/${at.server} HTTP/1.1\r\nHost: ${at.host}\r\nAuthorization: Bearer ${at.token}\r\nContent-Type: application/json\r\nAccept: */*\r\n`;

/** One request to a proxy and two to a careless server: each hides a second call (E-17). */
export const SMUGGLED: readonly (readonly [name: string, bytes: (at: At) => string])[] = [
  ['a length and chunks', (at) => `${start(at)}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['chunks and a length', (at) => `${start(at)}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['two lengths', (at) => `${start(at)}Content-Length: 0\r\nContent-Length: ${hidden(at).length}\r\n\r\n${hidden(at)}`],
  ['a list of lengths', (at) => `${start(at)}Content-Length: 0, ${hidden(at).length}\r\n\r\n${hidden(at)}`],
  ['a signed length', (at) => `${start(at)}Content-Length: +0\r\n\r\n${hidden(at)}`],
  ['a negative length', (at) => `${start(at)}Content-Length: -1\r\n\r\n${hidden(at)}`],
  ['a length in hex', (at) => `${start(at)}Content-Length: 0x0\r\n\r\n${hidden(at)}`],
  ['a length beyond counting', (at) => `${start(at)}Content-Length: 18446744073709551616\r\n\r\n${hidden(at)}`],
  ['a space before the colon', (at) => `${start(at)}Content-Length : 0\r\n\r\n${hidden(at)}`],
  ['a space before the name', (at) => `${start(at)} Content-Length: 0\r\n\r\n${hidden(at)}`],
  ['chunks named with a tab', (at) => `${start(at)}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['chunks that are not the last coding', (at) => `${start(at)}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['an unknown coding', (at) => `${start(at)}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['two codings', (at) => `${start(at)}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['a vertical tab before the coding', (at) => `${start(at)}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${hidden(at)}`],
  ['a bare CR in a value', (at) => `${start(at)}X-A: a\rContent-Length: 0\r\n\r\n${hidden(at)}`],
  ['a bare LF in a value', (at) => `${start(at)}X-A: a\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${hidden(at)}`],
  ['NUL in a value', (at) => `${start(at)}X-A: a\0b\r\nContent-Length: 0\r\n\r\n${hidden(at)}`],
  ['a chunk size that is none', (at) => `${start(at)}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${hidden(at)}`],
  ['a chunk size that overflows', (at) => `${start(at)}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${hidden(at)}`],
  ['a chunk that ends wrongly', (at) => `${start(at)}Transfer-Encoding: chunked\r\n\r\n1\r\nxy0\r\n\r\n${hidden(at)}`],
  ['a line folded in old style', (at) => `${start(at)}X-A: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${hidden(at)}`],
  ['a version that is none', (at) => `POST /mcp/${at.server} HTTP/9.9\r\nHost: ${at.host}\r\n\r\n${hidden(at)}`],
  ['no request at all', (at) => `\x16\x03\x01\x02\x00\x01\x00\r\n\r\n${hidden(at)}`],
];
