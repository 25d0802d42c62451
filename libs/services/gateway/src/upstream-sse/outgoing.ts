import { isJsonObject } from '@gatehouse/kernel';
import { statedHeaders } from '../call-statements/stated-headers.js';
import type { Edge } from '../edge.js';
import type { Armed } from '../pipeline/credential.js';
import { isInitialize } from '../pipeline/resolve.js';
import type { PostedMessage } from './event-connection.js';
import type { OutgoingRequest } from './sse-session.js';

// That transport has none of them: its session is the connection, its version what `initialize` came to.
const NOT_ITS = new Set(['content-type', 'accept', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id']);

/** The headers of a call as HTTP+SSE has them: the server's own, and those of the identity. */
export function headersOf({ headers }: Pick<Armed, 'headers'>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_ITS.has(name)));
}

/** A call's message as it goes out: only this has what is stated of the call itself. */
export function outgoingOf(armed: Armed, edge: Edge): PostedMessage {
  const { bytes: body, caller } = armed.resolved;
  return { body, headers: headersOf({ headers: statedHeaders(armed, edge) }), hops: caller.received.draft.hops };
}

/** The same for one that waits for an answer; undefined for one that does not. */
export function outgoingRequestOf(armed: Armed, edge: Edge): OutgoingRequest | undefined {
  const { intent } = armed.resolved;
  if (intent.kind !== 'message' || intent.message.kind !== 'request') return undefined;
  const meta = intent.message.params?.['_meta'];
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
  const progressToken = typeof token === 'string' || typeof token === 'number' ? token : undefined;
  return { ...outgoingOf(armed, edge), id: intent.message.id, progressToken, takesUnasked: !isInitialize(intent) };
}
