import { bad, CALL, type BadRequest } from './bad-request.js';

const PARSE = [400, 'parse_error'] as const;
const AMBIGUOUS = [400, 'ambiguous_json'] as const;
const BAD = [400, 'bad_request'] as const;
// Understood and refused: the protocol answers these inside a 200.
const PARAMS = [200, 'bad_params'] as const;
const UNKNOWN = [200, 'method_denied'] as const;
const MEDIA = [415, 'unsupported_media_type'] as const;

const rpc = (method: string, params: unknown = {}): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const call = (params: unknown): string => rpc('tools/call', params);
const read = (uri: string): string => rpc('resources/read', { uri });
const nested = (depth: number): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_issue","arguments":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}}`;

/** Bodies that are no JSON, or JSON that two parsers could read differently (E-07, E-08). */
export const BAD_JSON: readonly BadRequest[] = [
  bad('E-07', PARSE, 'bytes that are not UTF-8', { body: Buffer.from(CALL.replace('"a"', '"\xff\xfe"'), 'latin1') }),
  bad('E-07', PARSE, 'an overlong encoding', { body: Buffer.from(CALL.replace('"a"', '"\xc0\xaf"'), 'latin1') }),
  bad('E-07', PARSE, 'half a surrogate pair', { body: CALL.replace('"a"', '"\\ud800"') }),
  bad('E-07', PARSE, 'a byte order mark', { body: `\ufeff${CALL}` }),
  bad('E-07', PARSE, 'NUL inside a string', { body: CALL.replace('"a"', '"a\0b"') }),
  bad('E-07', PARSE, 'UTF-16', { body: Buffer.from(CALL, 'utf16le') }),
  bad('E-07', PARSE, 'nothing at all', { body: '' }),
  bad('E-07', PARSE, 'text that is cut off', { body: CALL.slice(0, -3) }),
  bad('E-07', PARSE, 'more after the end', { body: `${CALL}${CALL}` }),
  bad('E-07', PARSE, 'NaN', { body: CALL.replace('"a"', 'NaN') }),
  bad('E-07', PARSE, 'a comment', { body: `/* */${CALL}` }),
  bad('E-08', AMBIGUOUS, '__proto__ as a member', { body: CALL.replace('"id":"a"', '"__proto__":{"isAdmin":true}') }),
  bad('E-08', AMBIGUOUS, '__proto__ written with escapes', { body: CALL.replace('"id":"a"', '"\\u005f_proto__":{}') }),
  bad('E-08', AMBIGUOUS, 'a member twice', { body: CALL.replace('"method"', '"method":"ping","method"') }),
  bad('E-08', AMBIGUOUS, 'the tool named twice', { body: CALL.replace('"name"', '"name":"create_issue","name"') }),
  bad('E-08', AMBIGUOUS, 'a member twice, once with escapes', { body: CALL.replace('"name"', '"n\\u0061me":"create_issue","name"') }),
  bad('E-08', AMBIGUOUS, 'a member that only differs in case', { body: CALL.replace('"method"', '"Method":"ping","method"') }),
  bad('E-08', AMBIGUOUS, 'a member that folds to another', { body: CALL.replace('"params"', '"param\u017f":{},"params"') }),
  bad('E-06', [400, 'too_deep'], 'nesting without measure', { body: nested(100_000) }),
  bad('E-06', [400, 'too_deep'], 'ten thousand and one values', { body: call({ name: 'get_issue', arguments: { x: Array(10_001).fill(0) } }) }),
];

/** Messages that are no message of MCP (E-01, E-13, E-14, E-16). */
export const BAD_MESSAGES: readonly BadRequest[] = [
  bad('E-01', [400, 'batch_refused'], 'a batch in a session that knows none', { body: `[${rpc('tools/list')},${CALL.replace('"id":1', '"id":2')}]` }),
  bad('E-01', BAD, 'an empty batch', { body: '[]' }),
  bad('E-01', BAD, 'a batch with the same id twice', { body: `[${CALL},${CALL}]` }),
  bad('E-13', BAD, 'a tool call as notification', { body: CALL.replace('"id":1,', '') }),
  bad('E-13', BAD, 'a tool call whose id is null', { body: CALL.replace('"id":1', '"id":null') }),
  bad('E-13', BAD, 'an id that is a fraction', { body: CALL.replace('"id":1', '"id":1.5') }),
  bad('E-13', BAD, 'an id too large to be exact', { body: CALL.replace('"id":1', '"id":9007199254740993') }),
  bad('E-13', BAD, 'a notification as request', { body: rpc('notifications/initialized') }),
  bad('E-14', [400, 'unknown_response'], 'an answer to a question nobody asked', { body: '{"jsonrpc":"2.0","id":1,"result":{}}' }),
  bad('E-14', BAD, 'an answer with result and error', { body: '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}' }),
  bad('E-14', BAD, 'a request that is an answer as well', { body: CALL.replace('"id":1', '"id":1,"result":{}') }),
  bad('E-16', BAD, 'another version of JSON-RPC', { body: CALL.replace('"2.0"', '"1.0"') }),
  bad('E-16', BAD, 'params that are a list', { body: rpc('tools/call', ['get_issue']) }),
  bad('E-16', BAD, 'text where a message belongs', { body: '"tools/call"' }),
  ...['tasks/get', 'tasks/result', 'sampling/createMessage', 'elicitation/create', 'roots/list', 'io.example/extension', 'TOOLS/CALL', 'tools/call ', 'tools//call', 'constructor', 'toString'].map((method) =>
    bad('E-16', UNKNOWN, `the method ${method}`, { body: rpc(method, { name: 'get_issue' }) }),
  ),
];

/** Params that a server might read differently than policy did (E-10, E-12, E-41). */
export const BAD_PARAMS: readonly BadRequest[] = [
  bad('E-16', PARAMS, 'a call without a name', { body: call({ arguments: {} }) }),
  bad('E-16', PARAMS, 'a name that is a list', { body: call({ name: ['get_issue'] }) }),
  bad('E-16', PARAMS, 'arguments that are a list', { body: call({ name: 'get_issue', arguments: [] }) }),
  bad('E-16', PARAMS, 'a call that wants to become a task', { body: call({ name: 'get_issue', arguments: {}, task: { ttl: 1 } }) }),
  bad('E-16', PARAMS, 'a cursor that is a number', { body: rpc('tools/list', { cursor: 1 }) }),
  bad('E-16', PARAMS, 'a log level that does not exist', { body: rpc('logging/setLevel', { level: 'loud' }) }),
  bad('E-41', PARAMS, 'a progress token that is an object', { body: call({ name: 'get_issue', _meta: { progressToken: {} } }) }),
  bad('E-41', PARAMS, '_meta that is a list', { body: call({ name: 'get_issue', _meta: [] }) }),
  ...['file:///a/../b', 'file:///a/%2e%2e/b', 'FILE:///a', 'https://user:pass@host/a', 'https://HOST/a', 'https://host:443/a', 'https://0x7f.1/', 'file:///a\\b', 'file:///%61', 'no-scheme', 'file:///a\u202eb'].map((uri) =>
    bad('E-12', PARAMS, `the resource ${uri}`, { body: read(uri) }),
  ),
];

/** Bodies that say they are something else (E-02), and answers nobody could read. */
export const BAD_MEDIA: readonly BadRequest[] = [
  ...['text/plain', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json, text/plain', 'application/jsonx', 'text/json', ''].map((type) =>
    bad('E-02', MEDIA, `content type "${type}"`, { headers: { 'content-type': type } }),
  ),
  bad('E-02', MEDIA, 'no content type', { headers: { 'content-type': undefined } }),
  bad('E-02', [406, 'not_acceptable'], 'a client that takes no events', { headers: { accept: 'application/json' } }),
  bad('E-02', [406, 'not_acceptable'], 'a client that takes nothing', { headers: { accept: undefined } }),
  bad('E-06', [413, 'too_large'], 'an announced body of 100 MB', { headers: { 'content-length': '100000000' }, body: '' }),
  bad('E-06', [413, 'too_large'], 'one byte over the limit', { headers: { 'content-length': String(4 * 1024 * 1024 + 1) }, body: '' }),
];
