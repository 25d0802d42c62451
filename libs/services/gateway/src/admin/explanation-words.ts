import type { api } from '@gatehouse/contracts';
import type { z } from 'zod';

type Explanation = z.output<typeof api.explanation>;
type Facts = Pick<Explanation, 'server' | 'person' | 'identityMode' | 'outcome' | 'reason'> & {
  /** Whether auth makes an account for them at their first call; at some servers it does, and for service accounts it cannot. */
  isMade: 'yes' | 'no' | 'not_for_service_accounts';
};

const BECAUSE: Record<Explanation['reason'], (facts: Facts) => string> = {
  mode_none: ({ server }) => `${server} is called without any credential (identity mode none)`,
  own_preferred: () => 'it is the one they prefer',
  own_only: () => 'it is the only usable one they connected',
  own_newest: () => 'it is the newest of those they connected and none is preferred',
  shared_fallback: () => 'they connected none of their own and the identity mode is private-or-global',
  shared_only: () => 'everybody calls with the shared account (identity mode global)',
  nothing_connected: missing,
  not_accepted: ({ server }) => `${server} or its provider does not accept it any more`,
};

function missing({ server, identityMode, isMade }: Facts): string {
  if (isMade === 'not_for_service_accounts') return `accounts at ${server} are made of people’s sign-ins, and a service account has none`;
  if (isMade === 'yes') return `accounts at ${server} are made when they are first needed, and none was yet`;
  if (identityMode === 'global') return `the organisation has connected no account to ${server} (identity mode global)`;
  const shared = identityMode === 'private-or-global' ? ', and neither has the organisation' : '';
  return `they have connected no account of their own${shared} (identity mode ${identityMode})`;
}

/** Why, as the end of a sentence. */
export function becauseOf(facts: Facts): string {
  return BECAUSE[facts.reason](facts);
}

/** The whole sentence: “If Alice calls github, their own account “work” is used, because …”. */
export function sentenceOf(facts: Facts & Pick<Explanation, 'identity'>): string {
  return `If ${facts.person.name} calls ${facts.server}, ${whatHappens(facts)}, because ${becauseOf(facts)}.`;
}

function whatHappens({ outcome, identity, isMade }: Pick<Explanation, 'outcome' | 'identity'> & Pick<Facts, 'isMade'>): string {
  if (outcome === 'none') return 'no account is used';
  const whose = identity?.visibility === 'global' ? 'the shared' : 'their own';
  if (identity !== null && outcome !== 'missing' && outcome !== 'dead') return `${whose} account “${identity.name}” is used`;
  if (isMade !== 'no') return isMade === 'yes' ? 'an account is made within the call' : 'the call is refused';
  return identity === null ? 'the call is refused until an account is connected' : `the call is refused until ${whose} account “${identity.name}” is connected anew`;
}
