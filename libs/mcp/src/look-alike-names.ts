import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';

interface Level {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
}

const level = (names: readonly string[]): Level => ({ exact: new Set(names), folded: new Set(names.map(fold)) });

const MESSAGE = level(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const PARAMS = level([
  ...['name', 'arguments', 'uri', 'cursor', 'ref', 'argument', 'context', 'level', '_meta', 'task'],
  ...['protocolVersion', 'capabilities', 'clientInfo', 'requestState', 'inputResponses'],
  ...['requestId', 'reason', 'progressToken', 'progress', 'total', 'message'],
]);
const REF = level(['type', 'name', 'uri']);
const META = level([
  'progressToken',
  ...['protocolVersion', 'clientCapabilities', 'clientInfo', 'logLevel'].map((name) => `io.modelcontextprotocol/${name}`),
]);

/**
 * Refuses `ambiguous_json` when a member at a level that the protocol reads (the message, its params,
 * their `_meta` and `ref`) is not a protocol name but folds to one: `Method`, `paramſ`, `ｎame`. A server
 * whose JSON decoder ignores case would take it for the real member (CVE-2026-27896). Tool arguments
 * are the tool's own and stay as they are.
 */
export function refuseLookAlikes(message: JsonObject): void {
  check(message, MESSAGE);
  const { params } = message;
  if (!isJsonObject(params)) return;
  check(params, PARAMS);
  if (isJsonObject(params['_meta'])) check(params['_meta'], META);
  if (isJsonObject(params['ref'])) check(params['ref'], REF);
}

/** True for a name that folds to a member of a JSON-RPC message without being one. */
export function isMessageLookAlike(name: string): boolean {
  return isLookAlike(name, MESSAGE);
}

function isLookAlike(name: string, names: Level): boolean {
  return !names.exact.has(name) && names.folded.has(fold(name));
}

function check(object: JsonObject, names: Level): void {
  for (const name of Object.keys(object)) {
    if (isLookAlike(name, names)) throw new Refusal('ambiguous_json', { reason: 'look_alike_member', member: name });
  }
}

// Unicode NFKC_Casefold as far as it matters: compatibility forms, invisible characters, then case both
// ways (upper first, so that dotless i and long s meet their ASCII letters).
function fold(name: string): string {
  // eslint-disable-next-line no-control-regex -- ASCII is meant, control characters included
  if (/^[\x00-\x7f]*$/.test(name)) return name.toLowerCase();
  return name.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '').toUpperCase().toLowerCase();
}
