import { authContracts, type Actor } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { refuseMoreThanHeld, type Given } from '../roles/refuse-more-than-held.js';
import { teamsMappedTo } from '../sign-in/identity-provider-rows.js';
import type { IssuerRow, IssuerSettings } from './token-issuer-rows.js';

/**
 * Whoever says where an issuer's keys are, or that tokens made for something else count here, can be
 * anybody who is known at that issuer: with keys or an audience of their choice only who holds every
 * capability may. Else the issuer vouches for itself, and only who holds what the teams give that its
 * groups lead into may say which claim those are. Refuses with `capability_missing`.
 */
export async function refuseBeyondIssuer(tx: Transaction, actor: Actor, { name, settings }: Pick<IssuerRow, 'name' | 'settings'>, old: IssuerRow | undefined): Promise<void> {
  if (old !== undefined && trustOf(old.settings) === trustOf(settings)) return;
  const isChosen = settings.jwksUri !== null || settings.audience !== null;
  const given: Given = isChosen ? { capabilities: authContracts.CAPABILITIES } : { teams: await teamsMappedTo(tx, name) };
  await refuseMoreThanHeld(tx, actor, given);
}

/** Everything by which an issuer's word makes somebody somebody here. */
function trustOf({ issuer, jwksUri, audience, claims, provisioning }: IssuerSettings): string {
  return JSON.stringify([issuer, jwksUri, audience, claims.name, claims.email, claims.groups, provisioning]);
}
