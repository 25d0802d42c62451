import type { Bus, Subscription } from '@gatehouse/bus';
import { policyContracts } from '@gatehouse/contracts';
import { asRefusalOrFault, Refusal, type Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import type { CredentialLeases } from '../credentials/credential-leases.js';
import type { EdgeServer, PolicyState } from '../snapshot/policy-state.js';
import { failureOfProbe } from './failure-class.js';
import { McpProbe } from './mcp-probe.js';
import { observeServer } from './observe-server.js';

type Health = policyContracts.Server['health'];
type Order = z.output<typeof policyContracts.probeOrdered.payload>;

/** What probing needs of the edge. */
export interface ProbeWorld {
  bus: Bus;
  clock: Clock;
  log: Logger;
  leases: CredentialLeases;
  /** The policies in force, freshly fetched when `serverId` is not among them yet, or not with so many restarts. */
  policyWith: (serverId: string, restarts: number) => Promise<PolicyState | undefined>;
}

const NOTHING_FOUND = { transport: null, steps: [], verdict: null, advice: null };
const ITEMS_PER_PART = 100;
const AT_ONCE = 4;

/**
 * Runs the probes that policy orders: this edge or another, each order once. What is seen goes back as
 * an observation; what it means is policy's to say.
 */
export class ProbeRunner {
  #subscription: Subscription | undefined;
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly world: ProbeWorld) {}

  /** Starts taking orders. */
  async start(): Promise<void> {
    this.#subscription = await this.world.bus.events.consume(policyContracts.probeOrdered, 'gateway-probes', (order) => this.#take(order));
  }

  /** Takes no more orders and waits for those under way. */
  async close(): Promise<void> {
    await this.#subscription?.close();
    await Promise.all(this.#running);
  }

  // A slow server must not hold up the probes of the others.
  async #take(order: Order): Promise<void> {
    while (this.#running.size >= AT_ONCE) await Promise.race(this.#running);
    const run = this.#run(order).catch((error: unknown) => {
      this.world.log.warn({ serverId: order.serverId, code: asRefusalOrFault(error).code, err: error }, 'probe not reported');
    });
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #run({ serverId, probeId, restarts }: Order): Promise<void> {
    const policy = await this.world.policyWith(serverId, restarts);
    const server = policy?.serverById(serverId);
    if (server === undefined) return;
    const seen = await this.#look(server);
    await this.#report(serverId, probeId, seen);
    this.world.log.info({ serverId, status: seen.health.status, failure: seen.health.failure, items: seen.items.length }, 'server probed');
  }

  async #look(server: EdgeServer): Promise<{ health: Health; items: policyContracts.ObservedItem[] }> {
    const checkedAt = this.world.clock.now();
    try {
      const probe = await this.#probeOf(server);
      const { session, items } = await observeServer(probe);
      await probe.close();
      const { protocolVersion, serverInfo } = session;
      return { health: { status: 'healthy', failure: null, detail: null, checkedAt, protocolVersion, serverInfo, ...NOTHING_FOUND }, items };
    } catch (error) {
      const health: Health = { status: 'failing', ...failureOfProbe(error), checkedAt, protocolVersion: null, serverInfo: null, ...NOTHING_FOUND };
      return { health, items: [] };
    }
  }

  async #probeOf({ entry, destination }: EdgeServer): Promise<McpProbe> {
    if (destination instanceof Refusal) throw destination;
    const headers: Record<string, string> = Object.fromEntries(entry.headers.map(([name, value]) => [name.toLowerCase(), value]));
    if (entry.identityMode === 'global' && entry.identityId !== null) {
      const lease = await this.world.leases.fetch({ identityId: entry.identityId, owner: 'global', server: entry, origin: destination.origin });
      for (const [name, value] of lease.lines) headers[name] = value.use((bytes) => bytes.toString('latin1'));
    }
    return new McpProbe(destination, headers, entry.stateless);
  }

  async #report(serverId: string, probeId: string, seen: { health: Health; items: policyContracts.ObservedItem[] }): Promise<void> {
    const parts = Math.max(1, Math.ceil(seen.items.length / ITEMS_PER_PART));
    for (let part = 0; part < parts; part++) {
      const items = seen.items.slice(part * ITEMS_PER_PART, (part + 1) * ITEMS_PER_PART);
      const observation = { serverId, probeId, part, parts, health: seen.health, items };
      await this.world.bus.events.publish(policyContracts.toolsObserved, observation, `observed-${probeId}-${part}`);
    }
  }
}
