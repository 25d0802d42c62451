import type { Edge } from '../edge.js';
import type { Armed } from '../pipeline/credential.js';
import type { CallDraft } from '../pipeline/record.js';
import { CALL_HEADER } from './signed-destinations.js';

const tries = new WeakMap<CallDraft, number>();

/**
 * The headers a call is sent with, once more for each try: where the server asks for it, with the
 * statement that this caller makes this request, by the number its record has. Refuses with `vault_unavailable`.
 */
export function statedHeaders({ resolved, headers }: Armed, edge: Edge): Record<string, string> {
  const { url, signCalls } = resolved.server.entry;
  if (!signCalls) return headers;
  const { received, who } = resolved.caller;
  const client = who.clientId === null ? {} : { client_id: who.clientId };
  const statement = edge.statements.statement({ aud: url, sub: who.account.id, ...client, jti: numberOf(received.draft) }, resolved.bytes);
  return { ...headers, [CALL_HEADER]: statement };
}

// A server that takes every number once would refuse a second try with the number of the first.
function numberOf(draft: CallDraft): string {
  const count = (tries.get(draft) ?? 0) + 1;
  tries.set(draft, count);
  return count === 1 ? draft.callId : `${draft.callId}.${count}`;
}
