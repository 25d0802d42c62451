import { asRefusalOrFault, type JsonObject } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { Armed } from './credential.js';

const ANSWER_WITHIN_MS = 10_000;
const ANSWER_BYTES = 64 * 1024;

/**
 * Tells an upstream on the client's behalf that its request is not answered (the client never offered
 * to). Best effort: an upstream that cannot be told waits for its own timeout.
 */
export async function answerUpstream(armed: Armed, message: JsonObject, { sse }: Edge): Promise<void> {
  if (armed.resolved.server.entry.transport === 'sse') return sse.answer(armed, message);
  const { accept: _accept, 'last-event-id': _resume, ...headers } = armed.headers;
  const request = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: Buffer.from(JSON.stringify(message)),
    maxBytes: ANSWER_BYTES,
    timeoutMs: ANSWER_WITHIN_MS,
  } as const;
  await armed.destination.fetchSmall(request).catch((error: unknown) => asRefusalOrFault(error));
}
