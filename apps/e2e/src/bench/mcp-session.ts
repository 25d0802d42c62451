import { request, type Dispatcher } from 'undici';

/** The protocol revision that the bench speaks. */
export const VERSION = '2025-11-25';

const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
};

/** Opens a session as a client does and resolves to its id. */
export async function openSession(url: string, headers: Record<string, string>, dispatcher?: Dispatcher): Promise<string> {
  const via = dispatcher === undefined ? {} : { dispatcher };
  const greeted = await request(url, { ...via, method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...INITIALIZE }) });
  const text = await greeted.body.text();
  const id = greeted.headers['mcp-session-id'];
  if (greeted.statusCode !== 200 || typeof id !== 'string') throw new Error(`initialize at ${url}: ${greeted.statusCode} ${text}`);
  const own = { ...headers, 'mcp-session-id': id, 'mcp-protocol-version': VERSION };
  const noted = await request(url, { ...via, method: 'POST', headers: own, body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' });
  await noted.body.dump();
  return id;
}

/** Opens sessions one after the other. */
export async function openSessions(url: string, headers: Record<string, string>, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(await openSession(url, headers));
  return ids;
}

