import { Refusal } from '@gatehouse/kernel';
import { parseServerMessage, SseParser, type McpResponse } from '@gatehouse/mcp';
import type { SmallAnswer } from '@gatehouse/outbound';

/** The response to a request of our own in what a server answered, as JSON or as events. Refuses with `upstream_invalid`. */
export function responseIn(answer: SmallAnswer, id: unknown, maxEventBytes: number): McpResponse {
  for (const data of messagesOf(answer, maxEventBytes)) {
    const message = parseServerMessage(data);
    if (message.kind === 'response' && message.id === id) return message;
  }
  throw new Refusal('upstream_invalid', { reason: 'no_response' });
}

function messagesOf({ headers, body }: SmallAnswer, maxEventBytes: number): Buffer[] {
  const type = String(headers['content-type'] ?? '').toLowerCase();
  if (type.startsWith('application/json')) return [body];
  if (!type.startsWith('text/event-stream')) throw new Refusal('upstream_invalid', { reason: 'content_type' });
  const events = new SseParser({ maxEventBytes }).push(body);
  return events.map((event) => event.data).filter((data) => data.length > 0);
}
