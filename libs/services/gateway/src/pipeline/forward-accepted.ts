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
  const again = await rearmed(armed, edge);
  const second = await forward(again, presence, edge);
  if (refusal(again, second.answer) !== undefined) throw new Refusal('identity_dead', { reason: 'not_accepted' });
  return second;
}

async function isRenewed(armed: Armed, answer: Answer, edge: Edge): Promise<boolean> {
  const { identity } = armed.identified.choice;
  const challenge = refusal(armed, answer);
  if (identity === null || armed.lease === undefined || challenge === undefined) return false;
  return renewRefused(identity, armed.lease, challenge, edge);
}

function refusal({ lease }: Armed, answer: Answer): string | undefined {
  if (lease !== undefined && answer.status < 400) lease.wasAccepted = true;
  return challengeIn(answer);
}
