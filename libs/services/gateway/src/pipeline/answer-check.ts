import {
  filterList,
  mayHoldReservedMeta,
  parseServerEnvelope,
  parseServerMessage,
  stripReservedMeta,
  type ListKey,
  type McpResponse,
  type RequestId,
} from '@gatehouse/mcp';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { questionAbout } from './authorize.js';
import type { Answered } from './forward.js';
import { isInitialize, type Resolved } from './resolve.js';
import { mintSession } from './mint-session.js';

/** An answer that may go out, with what the record says of it. */
export interface CheckedAnswer {
  readonly bytes: Buffer;
  readonly status: 'ok' | 'tool_error' | 'error';
  readonly code: string | null;
  /** Session id to hand out, for `initialize`. */
  readonly mintedSession: string | undefined;
}

/** Lists by the member that holds their items, and what a later use of an item would ask policy. */
const LIST_ACTION = { tools: 'call', prompts: 'get', resources: 'read', resourceTemplates: 'read' } as const;
const LIST_KEYS = Object.keys(LIST_ACTION) as ListKey[];

/**
 * Checks a JSON answer to a request: the right id, one of result and error, nothing given away; filters
 * lists by the rule that calls are decided by. Bytes that need no change go out as they came. Refuses
 * with `upstream_invalid`, `response_blocked`.
 */
export function checkedAnswer(bytes: Buffer, answered: Answered, edge: Edge): CheckedAnswer {
  refuseGiveAway(bytes, answered);
  const { resolved } = answered;
  // What goes out must have one reading only, as it must inside an event: an id that stands twice is another answer to another parser.
  const response = responseIn(bytes, resolved);
  if (response.id !== idOf(resolved)) throw new Refusal('upstream_invalid', { reason: 'unexpected_response' });
  return checkedResponse(response, bytes, answered, edge);
}

/** The same for a response that stands in an event. */
export function checkedResponse(response: McpResponse, bytes: Buffer, answered: Answered, edge: Edge): CheckedAnswer {
  const { draft } = answered.resolved.caller.received;
  draft.resultDigest = edge.keys.digest(bytes);
  if (response.error !== undefined) return checkedError(response.error, bytes);
  return checkedResult(response, bytes, answered, edge);
}

/** Refuses with `response_blocked` when an answer holds the credential that was sent with the call (E-39). */
export function refuseGiveAway(bytes: Buffer, { armed }: Answered): void {
  if (armed.lease?.isGivenAwayIn(bytes) === true) throw new Refusal('response_blocked');
}

function checkedError(error: JsonObject, bytes: Buffer): CheckedAnswer {
  const code = error['code'];
  // A verdict of the protocol itself would be read by the client as one on its own request to us.
  const isVerdict = typeof code === 'number' && code <= -32_020 && code >= -32_022;
  if (isVerdict) throw new Refusal('upstream_invalid', { reason: 'protocol_verdict', rpcCode: code });
  return { bytes, status: 'error', code: String(code), mintedSession: undefined };
}

function checkedResult({ id, result }: McpResponse, bytes: Buffer, answered: Answered, edge: Edge): CheckedAnswer {
  if (!isJsonObject(result)) throw new Refusal('upstream_invalid', { reason: 'result_no_object' });
  const { resolved } = answered;
  const rewritten = rewrite(stripReservedMeta(result), resolved, edge);
  const mintedSession = isInitialize(resolved.intent) ? mintSession(result, answered, edge) : undefined;
  const isError = result['isError'] === true;
  return {
    bytes: rewritten === result ? bytes : Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: rewritten })),
    status: isError ? 'tool_error' : 'ok',
    code: null,
    mintedSession,
  };
}

function rewrite(result: JsonObject, resolved: Resolved, edge: Edge): JsonObject {
  if (isInitialize(resolved.intent)) return withoutTasks(result);
  return listKeysOf(result, resolved).reduce((list, key) => filtered(list, key, resolved, edge), result);
}

// By the policies in force now: the request, or the stream that was resumed, may be older than a forbid.
function filtered(result: JsonObject, key: ListKey, resolved: Resolved, edge: Edge): JsonObject {
  const { policies } = edge.state.policy();
  return filterList(result, key, (name) => policies.decideListing(questionAbout(resolved, LIST_ACTION[key], name)).effect === 'allow');
}

// On a resumed stream the answer belongs to an earlier request whose method is not known here: what has
// the shape of a list is filtered as one.
function listKeysOf(result: JsonObject, { intent }: Resolved): ListKey[] {
  if (intent.kind === 'message') return intent.admitted.row.listKey === undefined ? [] : [intent.admitted.row.listKey];
  return LIST_KEYS.filter((key) => Array.isArray(result[key]));
}

// Tasks are not carried here, so they are not advertised either.
function withoutTasks(result: JsonObject): JsonObject {
  const capabilities = result['capabilities'];
  if (!isJsonObject(capabilities) || capabilities['tasks'] === undefined) return result;
  const { tasks: _tasks, ...carried } = capabilities;
  return { ...result, capabilities: carried };
}

function responseIn(bytes: Buffer, resolved: Resolved): McpResponse {
  const message = goesOnAsItIs(bytes, resolved) ? parseServerEnvelope(bytes) : parseServerMessage(bytes);
  if (message.kind !== 'response') throw new Refusal('upstream_invalid', { reason: 'no_response' });
  return message;
}

/** Whether nothing in the result can be read or rewritten here: then its bytes are scanned, and not parsed as well. */
function goesOnAsItIs(bytes: Buffer, { intent }: Resolved): boolean {
  if (intent.kind !== 'message' || isInitialize(intent) || intent.admitted.row.listKey !== undefined) return false;
  return !mayHoldReservedMeta(bytes);
}

function idOf({ intent }: Resolved): RequestId | undefined {
  return intent.kind === 'message' && intent.message.kind === 'request' ? intent.message.id : undefined;
}
