import type { identityContracts } from '@gatehouse/contracts';
import type { AdminRequest } from './admin-guard.js';

type Identity = identityContracts.Identity;

/**
 * An identity as this caller may see it: the last characters of secrets are for its owner, and those of
 * the organisation's for who may read identities.
 */
export function shownIdentity(identity: Identity, { caller }: AdminRequest): Identity {
  const isOwn = identity.owner === caller?.account.id;
  const isReader = identity.owner === 'global' && caller?.capabilities.has('identities.read') === true;
  return isOwn || isReader ? identity : { ...identity, secrets: identity.secrets.map((secret) => ({ ...secret, lastFour: null })) };
}
