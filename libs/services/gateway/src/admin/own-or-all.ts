import type { authContracts } from '@gatehouse/contracts';
import type { AdminRequest } from './admin-guard.js';

/** Null when the caller may see and end what is everybody's, by this capability, else the caller's own id. */
export function ownOrAll({ caller }: AdminRequest, all: authContracts.Capability): string | null {
  return caller?.capabilities.has(all) === true ? null : (caller?.account.id ?? '');
}
