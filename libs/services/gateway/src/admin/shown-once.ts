import { openSealed } from '@gatehouse/kernel';
import { accessContracts } from '@gatehouse/contracts';
import type { Edge } from '../edge.js';

/** The new secret of a client or a service account, opened for the one answer that shows it; null when it has none. */
export function clientSecretOf(id: string, sealed: string | null, { keys }: Edge): string | null {
  if (sealed === null) return null;
  return openSealed(keys.pair, sealed, accessContracts.clientSecretContext(id)).toString('utf8');
}
