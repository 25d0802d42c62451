import type { Bus } from '@gatehouse/bus';
import { serverContracts, type upstreamContracts } from '@gatehouse/contracts';

/** A server as policy tells it, by id or name; null when there is none. */
export type FindUpstream = (server: string) => Promise<upstreamContracts.UpstreamServer | null>;

/** Asks policy each time: what an administrator changes holds from the next request on. */
export function findUpstreamBy(bus: Bus): FindUpstream {
  return async (server) => (await bus.request(serverContracts.findUpstream, { server })).upstream;
}
