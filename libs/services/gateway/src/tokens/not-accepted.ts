import { Refusal } from '@gatehouse/kernel';

/**
 * The one refusal of a token that was sent, whatever is wrong with it: a finer answer would tell a
 * guesser how far a guess came.
 */
export function notAccepted(): Refusal {
  return new Refusal('unauthenticated', { tokenSent: true });
}
