import type { serverContracts } from '@gatehouse/contracts';
import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { fingerprint, targetOfItem, type ListKey } from '@gatehouse/mcp';
import type { McpProbe } from './mcp-probe.js';

type ObservedItem = serverContracts.ObservedItem;

const LISTS: readonly { method: string; capability: string; key: ListKey; kind: ObservedItem['kind'] }[] = [
  { method: 'tools/list', capability: 'tools', key: 'tools', kind: 'tool' },
  { method: 'resources/list', capability: 'resources', key: 'resources', kind: 'resource' },
  { method: 'resources/templates/list', capability: 'resources', key: 'resourceTemplates', kind: 'resourceTemplate' },
  { method: 'prompts/list', capability: 'prompts', key: 'prompts', kind: 'prompt' },
];
const MAX_PAGES = 50;
const MAX_ITEMS = 2_000;
const NAME_CHARS = 2_048;

/** Everything a server offers, each with the fingerprint of its whole definition. */
export async function observeServer(probe: McpProbe): Promise<{ session: Awaited<ReturnType<McpProbe['open']>>; items: ObservedItem[] }> {
  const session = await probe.open();
  const items: ObservedItem[] = [];
  for (const list of LISTS) {
    if (session.capabilities[list.capability] === undefined) continue;
    for (const item of await allPages(probe, list.method, list.key)) {
      const observed = observedItem(item, list.key, list.kind);
      if (observed !== undefined && items.length < MAX_ITEMS) items.push(observed);
    }
  }
  return { session, items };
}

async function allPages(probe: McpProbe, method: string, key: ListKey): Promise<JsonValue[]> {
  const items: JsonValue[] = [];
  let cursor: JsonValue | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await listOnce(probe, method, cursor);
    if (result === undefined) return items;
    if (Array.isArray(result[key])) items.push(...result[key]);
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string' || items.length >= MAX_ITEMS) return items;
  }
  return items;
}

// Servers declare a capability and then lack one of its lists (templates, most often): that is an empty list.
async function listOnce(probe: McpProbe, method: string, cursor: JsonValue | undefined): Promise<JsonObject | undefined> {
  try {
    return await probe.request(method, cursor === undefined ? {} : { cursor });
  } catch (error) {
    if (error instanceof Refusal && error.details['rpcCode'] === -32_601) return undefined;
    throw error;
  }
}

function observedItem(item: JsonValue, key: ListKey, kind: ObservedItem['kind']): ObservedItem | undefined {
  const name = targetOfItem(item, key);
  if (name === undefined || name.length > NAME_CHARS || !isJsonObject(item)) return undefined;
  const title = shortText(item['title'], 300);
  return { kind, name, title, description: shortText(item['description'], 1_000), fingerprint: fingerprint(item) };
}

function shortText(value: JsonValue | undefined, max: number): string | null {
  return typeof value === 'string' ? value.slice(0, max) : null;
}
