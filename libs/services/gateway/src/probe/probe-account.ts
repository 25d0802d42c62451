import type { policyContracts, serverContracts } from '@gatehouse/contracts';
import type { Destination } from '@gatehouse/outbound';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { leaseIdentity } from '../identity/lease-identity.js';
import type { DirectoryState } from '../snapshot/directory-state.js';
import type { EdgeServer } from '../snapshot/policy-state.js';

/** An identity that a server is looked at with. */
export type ProbeAccount = NonNullable<z.output<typeof serverContracts.probeOrdered.payload>['identity']>;

/** The headers of one look, and which version of the credential is among them. */
export interface ProbeHeaders {
  readonly lines: Readonly<Record<string, string>>;
  /** As the vault counts; 0 without one. */
  readonly version: number;
}

/** The organisation's account at a server, if it has one that is accepted; people's own are theirs to use. */
export function organisationAccount(directory: DirectoryState, serverId: string): ProbeAccount | null {
  const choice = directory.identities.of(serverId, 'global')?.shared;
  return choice?.outcome === 'global' ? { id: choice.identity!.id, owner: 'global' } : null;
}

/** The plain headers of a server. */
export function plainHeaders({ headers }: policyContracts.SnapshotServer): ProbeHeaders {
  return { lines: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])), version: 0 };
}

/** The same with those of an identity, leased. Refuses as leasing does. */
export async function headersWith(account: ProbeAccount, server: EdgeServer, destination: Destination, edge: Edge): Promise<ProbeHeaders> {
  const lease = await leaseIdentity(account, server, destination, edge);
  const lines: Record<string, string> = { ...plainHeaders(server.entry).lines };
  for (const [name, value] of lease.lines) lines[name] = value.use((bytes) => bytes.toString('latin1'));
  return { lines, version: lease.terms.version };
}
