import type { Subscription } from '@gatehouse/bus';
import { serverContracts } from '@gatehouse/contracts';
import { asRefusalOrFault } from '@gatehouse/kernel';
import type { z } from 'zod';
import type { PolicyState } from '../snapshot/policy-state.js';
import { ServerLook, type LookWorld, type Seen } from './server-look.js';

type Order = z.output<typeof serverContracts.probeOrdered.payload>;

/** What probing needs of the edge. */
export interface ProbeWorld extends LookWorld {
  /** The policies in force, freshly fetched when `serverId` is not among them yet, or not with so many restarts. */
  policyWith: (serverId: string, restarts: number) => Promise<PolicyState | undefined>;
}

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
    this.#subscription = await this.world.bus.events.consume(serverContracts.probeOrdered, 'gateway-probes', (order) => this.#take(order));
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
      this.world.edge.log.warn({ serverId: order.serverId, code: asRefusalOrFault(error).code, err: error }, 'probe not reported');
    });
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #run({ serverId, probeId, restarts, identity, anew }: Order): Promise<void> {
    const policy = await this.world.policyWith(serverId, restarts);
    const server = policy?.serverById(serverId);
    if (server === undefined) return;
    const seen = await new ServerLook(this.world, { server, identity, anew }).seen();
    await this.#report(serverId, probeId, seen);
    this.world.edge.log.info({ serverId, status: seen.health.status, failure: seen.health.failure, items: seen.items.length }, 'server probed');
  }

  async #report(serverId: string, probeId: string, seen: Seen): Promise<void> {
    const parts = Math.max(1, Math.ceil(seen.items.length / ITEMS_PER_PART));
    for (let part = 0; part < parts; part++) {
      const items = seen.items.slice(part * ITEMS_PER_PART, (part + 1) * ITEMS_PER_PART);
      const observation = { serverId, probeId, part, parts, health: seen.health, items };
      await this.world.bus.events.publish(serverContracts.toolsObserved, observation, `observed-${probeId}-${part}`);
    }
  }
}
