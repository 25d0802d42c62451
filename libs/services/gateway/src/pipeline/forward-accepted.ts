import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { renewRefused } from '../identity/lease-identity.js';
import { challengeIn } from '../identity/refused-credential.js';
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
  if (challengeIn(second.answer) !== undefined) throw new Refusal('identity_dead', { reason: 'not_accepted' });
  return second;
}

async function isRenewed({ identified, lease }: Armed, answer: Answer, edge: Edge): Promise<boolean> {
  const { identity } = identified.choice;
  const challenge = challengeIn(answer);
  if (identity === null || lease === undefined || challenge === undefined) return false;
  return renewRefused(identity, lease, challenge, edge);
}
