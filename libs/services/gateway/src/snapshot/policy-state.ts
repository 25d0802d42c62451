import type { policyContracts } from '@gatehouse/contracts';
import type { Destination, Outbound } from '@gatehouse/outbound';
import { compilePolicies, type CompiledPolicies } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/kernel';

/** A server with everything a call to it needs, prepared once per snapshot. */
export interface EdgeServer {
  readonly entry: policyContracts.SnapshotServer;
  /** Where calls go, or why they cannot. */
  readonly destination: Destination | Refusal;
}

/** The policy snapshot as the edge uses it: immutable, replaced as one reference. */
export class PolicyState {
  readonly #servers = new Map<string, EdgeServer>();
  readonly #byId = new Map<string, EdgeServer>();
  readonly policies: CompiledPolicies;
  /** `epoch.version`, as records name it. */
  readonly label: string;

  /** `previous` is what was in force: policies whose text did not change are taken over as they are. */
  constructor(snapshot: policyContracts.PolicySnapshot, outbound: Pick<Outbound, 'destination'>, previous?: PolicyState) {
    this.policies = compilePolicies(snapshot, previous?.policies);
    this.label = `${snapshot.epoch}.${snapshot.version}`;
    for (const entry of snapshot.servers) {
      const prepared = { entry, destination: destinationOf(entry, outbound) };
      this.#servers.set(entry.name, prepared);
      this.#byId.set(entry.id, prepared);
    }
  }

  /** The server of an endpoint. */
  server(slug: string): EdgeServer | undefined {
    return this.#servers.get(slug);
  }

  /** All of them. */
  servers(): Iterable<EdgeServer> {
    return this.#servers.values();
  }

  /** The server by its id. */
  serverById(id: string): EdgeServer | undefined {
    return this.#byId.get(id);
  }
}

// One server with an address that may not be reached must not keep the others from being served.
function destinationOf(entry: policyContracts.SnapshotServer, outbound: Pick<Outbound, 'destination'>): Destination | Refusal {
  try {
    return outbound.destination(entry.url, entry);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
