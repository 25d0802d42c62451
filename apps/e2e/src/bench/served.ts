import { setTimeout as sleep } from 'node:timers/promises';
import { AdminApi } from '../world/admin-api.js';
import type { World } from '../world/world.js';

const SERVED_WITHIN_MS = 20_000;
const ASK_MS = 50;

/**
 * Registers an upstream and resolves to its MCP URL at each edge once every edge serves it; for tools
 * that run a whole Gatehouse outside of a test.
 */
export async function served(world: World, name: string, url: string): Promise<string[]> {
  await new AdminApi(world.edges[0]!, world.adminToken).ok('POST', '/servers', { name, url, allowPrivateNetwork: true });
  const urls = world.edges.map((edge) => `${edge}/mcp/${name}`);
  await Promise.all(urls.map((each) => untilServed(each, world.adminToken)));
  return urls;
}

async function untilServed(url: string, token: string): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  for (const until = Date.now() + SERVED_WITHIN_MS; Date.now() < until; await sleep(ASK_MS)) {
    const answer = await fetch(url, { method: 'POST', headers: mcpHeaders(token), body });
    await answer.arrayBuffer();
    // Without a session the call is refused, but by a server that is known.
    if (answer.status === 400) return;
  }
  throw new Error(`${url} was not served within ${SERVED_WITHIN_MS} ms`);
}

/** The headers of a Streamable HTTP request. */
export function mcpHeaders(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
}
