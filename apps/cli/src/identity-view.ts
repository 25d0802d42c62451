import type { identityContracts } from '@gatehouse/contracts';
import { timeText } from './output/print.js';
import { fieldList, type Columns } from './output/table.js';

type Identity = identityContracts.Identity;

/** How a list shows identities. */
export const IDENTITY_COLUMNS: Columns<Identity> = {
  server: (identity) => identity.server,
  name: (identity) => identity.name,
  whose,
  method: (identity) => identity.method,
  status,
  preferred: (identity) => (identity.preferred ? 'yes' : null),
  until: (identity) => timeText(identity.expiresAt),
  id: (identity) => identity.id,
};

/** One identity, without any secret of it. */
export function identityDetails(identity: Identity): string {
  return fieldList({
    server: identity.server,
    name: identity.name,
    id: identity.id,
    whose: whose(identity),
    method: identity.grant === null ? identity.method : `${identity.method} (${identity.grant})`,
    status: status(identity),
    preferred: identity.preferred ? 'yes' : 'no',
    'sent to': identity.origin,
    scopes: identity.scopes?.join(' '),
    until: timeText(identity.expiresAt) ?? (identity.isRefreshable ? 'renewed by itself' : null),
    secrets: identity.secrets.map(({ name, lastFour, changedAt }) => `${name}${lastFour === null ? '' : ` …${lastFour}`} since ${timeText(changedAt) ?? ''}`).join(', '),
    connected: timeText(identity.createdAt),
  });
}

function whose({ owner, ownerName }: Identity): string {
  return owner === 'global' ? 'everybody (shared)' : (ownerName ?? owner);
}

function status(identity: Identity): string {
  return identity.reason === null ? identity.status : `${identity.status} (${identity.reason})`;
}
