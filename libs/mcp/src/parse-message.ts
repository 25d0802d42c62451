import { isAscii } from 'node:buffer';
import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { refuseLookAlikes } from './look-alike-names.js';
import { ANSWER_LIMITS, REQUEST_LIMITS, scanAnswer, scanJson, type ScanLimits } from './scan-json.js';

/** A JSON-RPC id as MCP allows it: a string or an integer that a double holds exactly, never null. */
export type RequestId = string | number;

/** A request: wants exactly one response with the same id. */
export interface McpRequest {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** A notification: has no id and gets no response. */
export interface McpNotification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** A response: `result` or `error`, never both. */
export interface McpResponse {
  readonly kind: 'response';
  readonly id: RequestId;
  readonly result?: JsonValue;
  readonly error?: JsonObject;
}

/** Any JSON-RPC 2.0 message of MCP. */
export type McpMessage = McpRequest | McpNotification | McpResponse;

/** Messages in one batch array at most (protocol version 2025-03-26 only). */
export const MAX_BATCH = 64;

/**
 * Reads the body of a POST: scans the bytes, parses them and checks the JSON-RPC 2.0 shape. An array
 * becomes an array of messages; whether a batch is allowed is the session's to say. The bytes stay what
 * is forwarded, so numbers inside params keep their precision.
 *
 * Refuses `parse_error`, `ambiguous_json`, `too_deep` as `scanJson` does, `ambiguous_json` for look-alike
 * members, and `bad_request` {reason} for anything that is no JSON-RPC message.
 */
export function parseBody(bytes: Buffer, limits: ScanLimits = REQUEST_LIMITS): McpMessage | McpMessage[] {
  const value = parseScanned(bytes, limits);
  return Array.isArray(value) ? batch(value) : message(value);
}

/**
 * Reads one message that a server sent (a JSON answer or the data of an SSE event). Refuses
 * `upstream_invalid` {reason} for whatever `parseBody` would refuse, and for batches.
 */
export function parseServerMessage(bytes: Buffer, limits: ScanLimits = ANSWER_LIMITS): McpMessage {
  return fromServer(() => message(parseScanned(bytes, limits)));
}

/**
 * The same for an answer whose result goes on as it is: everything is scanned and checked alike, but of a
 * result that is an object only `isError` is read, and only when it is true.
 */
export function parseServerEnvelope(bytes: Buffer, limits: ScanLimits = ANSWER_LIMITS): McpMessage {
  return fromServer(() => message(parseEnvelope(bytes, limits)));
}

function fromServer(parse: () => McpMessage): McpMessage {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal('upstream_invalid', { reason: error.details['reason'] ?? error.code });
  }
}

/**
 * The id of the message in a body that was refused, so that the error can repeat it. Undefined when the
 * body cannot be read without doubt (broken, ambiguous, a batch) or has no valid id.
 */
export function readId(bytes: Buffer): RequestId | undefined {
  let value: JsonValue;
  try {
    value = parseScanned(bytes, REQUEST_LIMITS);
  } catch (error) {
    // The body was refused before with this very reason; here only its id was asked for.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
  const id = isJsonObject(value) ? value['id'] : undefined;
  return isRequestId(id) ? id : undefined;
}

/** True for a string or a safe integer. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function parseScanned(bytes: Buffer, limits: ScanLimits): JsonValue {
  scanJson(bytes, limits);
  return JSON.parse(textOf(bytes)) as JsonValue;
}

function parseEnvelope(bytes: Buffer, limits: ScanLimits): JsonValue {
  const result = scanAnswer(bytes, limits);
  if (result === undefined) return JSON.parse(textOf(bytes)) as JsonValue;
  const [before, after] = [textOf(bytes.subarray(0, result.start)), textOf(bytes.subarray(result.end))];
  return JSON.parse(`${before}${result.isError ? '{"isError":true}' : '{}'}${after}`) as JsonValue;
}

function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
}

function batch(values: JsonValue[]): McpMessage[] {
  if (values.length === 0) throw bad('empty_batch');
  if (values.length > MAX_BATCH) throw bad('batch_too_long');
  const messages = values.map(message);
  const ids = messages.flatMap((each) => (each.kind === 'request' ? [each.id] : []));
  if (new Set(ids).size !== ids.length) throw bad('duplicate_id');
  return messages;
}

function message(value: JsonValue): McpMessage {
  if (!isJsonObject(value)) throw bad('not_an_object');
  refuseLookAlikes(value);
  if (value['jsonrpc'] !== '2.0') throw bad('jsonrpc');
  return value['method'] === undefined ? response(value) : call(value, value['method']);
}

function call(value: JsonObject, method: JsonValue): McpRequest | McpNotification {
  const { id, params } = value;
  if (typeof method !== 'string' || method === '') throw bad('method');
  if (value['result'] !== undefined || value['error'] !== undefined) throw bad('request_and_response');
  if (params !== undefined && !isJsonObject(params)) throw bad('params');
  if (id === undefined) return { kind: 'notification', method, params };
  if (!isRequestId(id)) throw bad('id');
  return { kind: 'request', id, method, params };
}

function response(value: JsonObject): McpResponse {
  const { id, result, error } = value;
  if (!isRequestId(id)) throw bad('id');
  if (value['params'] !== undefined) throw bad('params');
  if ((result === undefined) === (error === undefined)) throw bad('result_or_error');
  if (result !== undefined) return { kind: 'response', id, result };
  if (!isRpcError(error)) throw bad('error');
  return { kind: 'response', id, error };
}

function isRpcError(error: JsonValue | undefined): error is JsonObject {
  return isJsonObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string';
}

function bad(reason: string): Refusal {
  return new Refusal('bad_request', { reason });
}
