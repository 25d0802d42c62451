import type { policyContracts } from '@gatehouse/contracts';
import type { Account, DirectoryState } from '../snapshot/directory-state.js';
import { choiceOfNone, type Choice, type IdentityIndex } from './identity-index.js';

type Entry = Pick<policyContracts.SnapshotServer, 'id' | 'identityMode'>;

const NO_MODE = choiceOfNone('none', 'mode_none');
const NOTHING = choiceOfNone('missing', 'nothing_connected');

/**
 * Whose credential a call of `caller` to a server carries: the caller's own, the organisation's, or none,
 * by the server's identity mode. Two map lookups in memory. A person whose own account is not accepted
 * any more never falls back to the shared one: that would be acting as somebody else without a word.
 */
export function chooseIdentity(identities: IdentityIndex, { id, identityMode }: Entry, caller: Pick<Account, 'id' | 'kind'>): Choice {
  if (identityMode === 'none') return NO_MODE;
  if (identityMode === 'global') return identities.of(id, 'global')?.shared ?? NOTHING;
  return ownOf(identities, id, caller) ?? (identityMode === 'private-required' ? NOTHING : fallbackOf(identities, id));
}

// Identities belong to people or to the organisation: a service account has none of its own.
function ownOf(identities: IdentityIndex, serverId: string, { id, kind }: Pick<Account, 'id' | 'kind'>): Choice | undefined {
  return kind === 'person' ? identities.of(serverId, id)?.own : undefined;
}

function fallbackOf(identities: IdentityIndex, serverId: string): Choice {
  return identities.of(serverId, 'global')?.fallback ?? NOTHING;
}

/** The same by the caller's id, for whoever asks beforehand; undefined when nobody by that id may call. */
export function explainIdentity(directory: DirectoryState, entry: Entry, callerId: string): Choice | undefined {
  const account = directory.account(callerId);
  return account === undefined ? undefined : chooseIdentity(directory.identities, entry, account);
}
