import { Refusal } from '@gatehouse/kernel';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import type { EdgeServer, PolicyState } from '../snapshot/policy-state.js';
import type { TokenCheck } from '../tokens/token-check.js';

type Entry = EdgeServer['entry'];

/** Whether a connection that was opened for a caller may stay: the server as it was, the token still good. When that cannot be known, it may not. */
export function stillAllowed(who: DirectoryCaller, opened: Entry, state: { lastPolicy(): PolicyState | undefined }, tokens: TokenCheck): boolean {
  const now = state.lastPolicy()?.serverById(opened.id)?.entry;
  return now !== undefined && isSame(now, opened) && isCurrent(who, tokens);
}

function isSame(now: Entry, opened: Entry): boolean {
  return now.state === 'running' && now.transport === 'sse' && now.url === opened.url && now.restarts === opened.restarts;
}

function isCurrent(who: DirectoryCaller, tokens: TokenCheck): boolean {
  try {
    return tokens.current(who) !== undefined;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
