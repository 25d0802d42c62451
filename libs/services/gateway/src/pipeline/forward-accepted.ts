import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { rearmed, type Armed } from './credential.js';
import type { Answer } from './exchange.js';
import { forward, type Answered, type Presence } from './forward.js';

/**
 * Sends the call; when the server does not accept its credential, has it renewed and sends the call once
 * more. A server that refused the credential ran nothing, and nothing of its answer was relayed: this
 * stands before the answer is looked at. Refuses as `forward` does, and with `identity_dead`,
 * `credential_expired`. What the server said of how to sign in goes to auth, never to the client.
 */
export async function forwardAccepted(armed: Armed, presence: Presence, edge: Edge): Promise<Answered> {
  const first = await forward(armed, presence, edge);
  if (!(await isRenewed(armed, first.answer, edge))) return first;
  const second = await forward(await rearmed(armed, edge), presence, edge);
  if (challengeIn(second.answer) !== undefined) throw notAccepted();
  return second;
}

async function isRenewed({ identified, lease }: Armed, answer: Answer, edge: Edge): Promise<boolean> {
  const { identity } = identified.choice;
  const challenge = challengeIn(answer);
  if (identity === null || lease === undefined || challenge === undefined) return false;
  const renewal = await edge.renewals.ask({ identityId: identity.id, version: lease.terms.version, cause: 'refused', challenge });
  if (renewal === 'dead' || renewal === 'unchanged') throw notAccepted();
  if (renewal === 'retrying') throw new Refusal('credential_expired');
  return renewal === 'fresh';
}

function notAccepted(): Refusal {
  return new Refusal('identity_dead', { reason: 'not_accepted' });
}

const STEP_UP = /\binsufficient_scope\b/;

/** What a server said that does not accept the credential; undefined for every other answer. */
export function challengeIn({ status, headers }: Pick<Answer, 'status' | 'headers'>): string | undefined {
  const said = headers['www-authenticate'];
  const challenge = Array.isArray(said) ? said.join(', ') : (said ?? '');
  return status === 401 || (status === 403 && STEP_UP.test(challenge)) ? challenge : undefined;
}
