import { errorRow, isJsonObject, type Fault, type JsonObject, type Refusal } from '@gatehouse/kernel';
import { isRequestId, type RequestId } from './parse-message.js';

/** Key in `_meta` of a result under which Gatehouse says that it refused a call, and why. */
export const REFUSAL_META_KEY = 'io.gatehouse/refusal';

/**
 * The JSON-RPC error response for a refusal or a fault. `id` is the request's, or null when it could not
 * be read. `data.type` is the code of the error table; details may not overwrite it. Of a fault only its
 * id is told.
 */
export function jsonRpcError(id: RequestId | null | undefined, error: Refusal | Fault): JsonObject {
  const { rpcCode } = errorRow(error.code);
  const facts: JsonObject = error.name === 'Fault' ? { faultId: error.id } : { ...error.details };
  return { jsonrpc: '2.0', id: id ?? null, error: { code: rpcCode, message: messageOf(error), data: { ...facts, type: error.code } } };
}

// What to do next, where a refusal knows it, is for people: they read the message.
function messageOf(error: Refusal | Fault): string {
  const { sentence } = errorRow(error.code);
  const advice = error.name === 'Fault' ? undefined : error.details['advice'];
  return typeof advice === 'string' ? `${sentence} ${advice}` : sentence;
}

/** A page that a person must open before a request can succeed (2025-11-25 client/elicitation, URL mode). */
export interface UrlElicitation {
  readonly elicitationId: string;
  readonly url: string;
  readonly message: string;
}

const URL_ELICITATION_REQUIRED = -32_042;

/**
 * The error that has a client ask its person to open a page (2025-11-25 client/elicitation, URL elicitation
 * required). Only for clients that declared `elicitation.url`; the revision of 2026-07-28 has it no more.
 */
export function urlElicitationRequired(id: RequestId, refusal: Refusal, elicitation: UrlElicitation): JsonObject {
  const data = { elicitations: [{ mode: 'url', ...elicitation }], type: refusal.code };
  return { jsonrpc: '2.0', id, error: { code: URL_ELICITATION_REQUIRED, message: errorRow(refusal.code).sentence, data } };
}

/** `jsonRpcError` as the bytes of an HTTP body or of an SSE `data` field. */
export function jsonRpcErrorBytes(id: RequestId | null | undefined, error: Refusal | Fault): Buffer {
  return Buffer.from(JSON.stringify(jsonRpcError(id, error)));
}

/**
 * The response to a `tools/call` that was refused, as a tool result with `isError`, so that the model
 * reads the reason and can do something else (SEP-1303). Programs find the code under `_meta`.
 */
export function refusedToolResult(id: RequestId, refusal: Refusal): JsonObject {
  const { reason } = refusal.details;
  const because = typeof reason === 'string' ? `${refusal.code}: ${reason}` : refusal.code;
  const text = `${messageOf(refusal)} (${because})`;
  const meta = { [REFUSAL_META_KEY]: { ...refusal.details, code: refusal.code } };
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], isError: true, _meta: meta } };
}

/** The error in the body of a failed HTTP answer of a server, its id aside (often null); undefined when there is none. */
export function readRpcError(body: unknown): { id: RequestId | undefined; code: number; message: string } | undefined {
  const error = isJsonObject(body) ? body['error'] : undefined;
  if (!isJsonObject(body) || !isJsonObject(error)) return undefined;
  const { code, message } = error;
  if (typeof code !== 'number' || !Number.isSafeInteger(code) || typeof message !== 'string') return undefined;
  return { id: isRequestId(body['id']) ? body['id'] : undefined, code, message };
}
