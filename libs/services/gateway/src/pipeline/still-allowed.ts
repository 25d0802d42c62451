import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { DirectoryIdentity } from '../identity/identity-index.js';
import { wouldStillAllow } from './authorize.js';
import type { Resolved } from './resolve.js';

/**
 * Whether a stream may go on by what is known now: its caller, the policies, and the identity it was opened
 * with. When that cannot be known, it may not.
 */
export function stillAllowed(resolved: Resolved, edge: Edge, identity: DirectoryIdentity | null = null): boolean {
  try {
    if (edge.tokens.current(resolved.caller.who) === undefined || !wouldStillAllow(resolved, edge)) return false;
    return identity === null || edge.state.directory().identities.isLive(identity);
  } catch (error) {
    if (!(error instanceof Refusal)) edge.log.error({ err: error }, 'a stream could not be judged and is cut');
    return false;
  }
}
