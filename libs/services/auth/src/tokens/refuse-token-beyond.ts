import type { Actor, authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { refuseMoreThanHeld, refuseStronger } from '../roles/refuse-more-than-held.js';
import { teamsMappedTo } from '../sign-in/identity-provider-rows.js';

type Wish = Pick<authContracts.TokenSummary, 'callerId' | 'scopes'>;

/**
 * A token is a grant too: `admin` for somebody else needs all that they hold, `scim` needs
 * `sso.manage` and what the teams that SCIM fills give (whoever has the token can put anybody into
 * them), `clients:register` needs `clients.manage`. Refuses with `capability_missing`.
 */
export async function refuseTokenBeyond(tx: Transaction, by: Actor, { callerId, scopes }: Wish): Promise<void> {
  await refuseMoreThanHeld(tx, by, {});
  if (scopes.includes('admin') && callerId !== by.callerId) await refuseStronger(tx, by, callerId);
  if (scopes.includes('clients:register')) await refuseMoreThanHeld(tx, by, { capabilities: ['clients.manage'] });
  if (scopes.includes('scim')) await refuseMoreThanHeld(tx, by, { capabilities: ['sso.manage'], teams: await teamsMappedTo(tx, 'scim') });
}
