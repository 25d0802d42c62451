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
 * Who calls, from the directory in memory. Refuses with `unauthenticated` (no token and a wrong one
 * look alike but for the challenge), `insufficient_scope`, `directory_stale`. Comes before anything
 * about the protocol, so that discovery of how to sign in works with any first request.
 */
export function authenticate(received: Received, edge: Edge): Caller {
  const directory = edge.state.directory();
  const { token, draft } = received;
  const who = token === undefined ? undefined : directory.callerOf(token, edge.clock.now());
  if (who === undefined) throw new Refusal('unauthenticated', { tokenSent: token !== undefined });
  draft.facts.caller = callerFacts(who, draft.facts.caller.address);
  if (!who.scopes.has(MCP_SCOPE)) throw new Refusal('insufficient_scope', { scope: MCP_SCOPE });
  draft.mark('authenticate');
  return earn(received, who);
}

/** The challenge of RFC 6750 section 3: an error code only when a token was sent. */
export function challengeOf(refusal: Refusal): string {
  if (refusal.code === 'insufficient_scope') return `Bearer realm="gatehouse", error="insufficient_scope", scope="${MCP_SCOPE}"`;
  const error = refusal.details['tokenSent'] === true ? ', error="invalid_token"' : '';
  return `Bearer realm="gatehouse"${error}, scope="${MCP_SCOPE}"`;
}
