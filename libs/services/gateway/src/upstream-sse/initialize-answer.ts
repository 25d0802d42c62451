import { isJsonObject, Refusal } from '@gatehouse/kernel';
import { parseServerMessage } from '@gatehouse/mcp';
import type { Answer } from '../pipeline/exchange.js';
import { FIRST_VERSION, TOLD_VERSION } from './first-version.js';

/** Whether the server refused to open a session. */
export function isRefusal(answer: Answer): boolean {
  if (answer.kind !== 'whole' || answer.status >= 300) return true;
  const message = parseServerMessage(answer.body);
  return message.kind !== 'response' || message.error !== undefined;
}

/** An answer to `initialize` as a client of streamable HTTP can take it: with the session's id, and a revision it knows. */
export function initializeAnswer(answer: Answer, sessionId: string): Answer {
  if (answer.kind !== 'whole') throw new Refusal('upstream_invalid', { reason: 'initialize' });
  return { ...answer, headers: { ...answer.headers, 'mcp-session-id': sessionId }, body: withToldVersion(answer.body) };
}

/** The same bytes, unless they name the first revision. */
export function withToldVersion(body: Buffer): Buffer {
  const message = parseServerMessage(body);
  if (message.kind !== 'response' || !isJsonObject(message.result) || message.result['protocolVersion'] !== FIRST_VERSION) return body;
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { ...message.result, protocolVersion: TOLD_VERSION } }));
}
