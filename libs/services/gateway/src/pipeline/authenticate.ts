import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import type { Received } from './receive.js';
import { callerFacts } from './record-parts.js';

/** The scope a token needs for any MCP endpoint. */
export const MCP_SCOPE = 'mcp:access';

let earn: (received: Received, who: DirectoryCaller) => Caller;

/** A request whose caller is known. */
export class Caller {
  protected readonly earned = true;

  private constructor(
    readonly received: Received,
    readonly who: DirectoryCaller,
  ) {}

  static {
    earn = (received, who) => new Caller(received, who);
  }
}

/**
 * Who calls, from the directory in memory: at once for a token seen before, awaited for a new access
 * token or a proof of possession. Refuses with `unauthenticated` (no token and a wrong one look alike
 * but for the challenge), `insufficient_scope`, `directory_stale`, `service_unavailable`,
 * `service_timeout`. Comes before anything about the protocol, so that discovery of how to sign in works
 * with any first request.
 */
export function authenticate(received: Received, edge: Edge): Caller | Promise<Caller> {
  const { presented, verb, slug } = received;
  const resource = edge.resources.endpoint(slug);
  const who = edge.tokens.callerOf(presented, { resource, method: verb, address: resource });
  return who instanceof Promise ? who.then((known) => admitted(received, known)) : admitted(received, who);
}

/**
 * The same caller for another part of the same HTTP request, by the directory in force by now: a proof
 * of possession counts for the request and cannot be used twice. Refuses with `unauthenticated`,
 * `directory_stale`.
 */
export function authenticateAgain(received: Received, before: Caller, edge: Edge): Caller {
  const who = edge.tokens.current(before.who);
  if (who === undefined) throw new Refusal('unauthenticated', { tokenSent: true });
  return admitted(received, who);
}

function admitted(received: Received, who: DirectoryCaller): Caller {
  const { draft } = received;
  draft.facts.caller = callerFacts(who, draft.facts.caller.address);
  if (who.clientId !== null) draft.facts.client = { ...draft.facts.client, id: who.clientId };
  if (!who.scopes.has(MCP_SCOPE)) throw new Refusal('insufficient_scope', { scope: MCP_SCOPE });
  draft.mark('authenticate');
  return earn(received, who);
}
