/**
 * Opening a session at an upstream later than its client did: after an account was connected, or at an
 * edge that holds no connection for it yet.
 *
 *   openUpstreamSession(send: SendToUpstream, params: JsonObject): Promise<UpstreamSession>
 *     `send` posts one JSON-RPC message over whatever transport (Streamable HTTP, HTTP+SSE) and gives the
 *     answer to it: the response, and the session id that came with it; no response for a notification.
 *     `params` are those of the client's `initialize`, as `RememberedInitialize` keeps them.
 */
import { isSupported, type McpResponse } from '@gatehouse/mcp';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import { LIMITS } from '../limits.js';

/** A session at an upstream. */
export interface UpstreamSession {
  /** The upstream's own session id, when it gave one. */
  readonly upstreamId: string | null;
  readonly protocolVersion: string;
}

/** What an upstream answered to one message. */
export interface UpstreamReply {
  /** Undefined for a notification. */
  readonly response: McpResponse | undefined;
  /** The `Mcp-Session-Id` header, where the transport has one. */
  readonly sessionId?: string | string[] | undefined;
}

/** Posts one message; `opened` is the session it belongs to, undefined for `initialize`. */
export type SendToUpstream = (message: JsonObject, opened: UpstreamSession | undefined) => Promise<UpstreamReply>;

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * Sends `initialize` with the client's own parameters, then `notifications/initialized`. Refuses as `send`
 * does, with `upstream_refused` {rpcCode} for an error and `upstream_invalid` for an answer that cannot be right.
 */
export async function openUpstreamSession(send: SendToUpstream, params: JsonObject): Promise<UpstreamSession> {
  const { response, sessionId } = await send({ jsonrpc: '2.0', id: 'initialize', method: 'initialize', params }, undefined);
  if (response?.error !== undefined) throw new Refusal('upstream_refused', { rpcCode: Number(response.error['code']) });
  const version = isJsonObject(response?.result) ? response.result['protocolVersion'] : undefined;
  if (typeof version !== 'string' || !isSupported(version)) throw new Refusal('upstream_invalid', { reason: 'protocol_version' });
  const opened = { upstreamId: upstreamSessionId(sessionId), protocolVersion: version };
  await send({ jsonrpc: '2.0', method: 'notifications/initialized' }, opened);
  return opened;
}

/** A session id as an upstream gave it; refuses with `upstream_invalid` for one that cannot be right. */
export function upstreamSessionId(given: string | string[] | undefined): string | null {
  if (given === undefined) return null;
  const fits = typeof given === 'string' && given.length <= LIMITS.upstreamSessionIdChars && VISIBLE_ASCII.test(given);
  if (!fits) throw new Refusal('upstream_invalid', { reason: 'session_id' });
  return given;
}
