import { setTimeout as sleep } from 'node:timers/promises';
import { AdminApi } from './admin-api.js';
import type { World } from './world.js';

/** The admin API of an edge as the administrator, or with another token. */
export function admin(world: World, edge = 0, token: string = world.adminToken): AdminApi {
  return new AdminApi(world.edges[edge % world.edges.length]!, token);
}

/** Asks until `check` gives something, at most `limitMs`. */
export async function eventually<T>(check: () => Promise<T | undefined>, limitMs = 10_000): Promise<T> {
  for (const until = Date.now() + limitMs; ; await sleep(40)) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`nothing after ${limitMs} ms`);
  }
}
