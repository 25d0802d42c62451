import { catalogueContracts } from '@gatehouse/contracts';
import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';

type Entry = catalogueContracts.CatalogueEntry;

const OFFICIAL = 'io.modelcontextprotocol.registry/official';
const TITLE_CHARS = 100;
const NOTES_CHARS = 200;
const URL_CHARS = 500;
const NAME_CHARS = 200;
const SLUG_CHARS = 63;

/**
 * The servers of one page of `GET /v0/servers` that can be registered: active ones with a Streamable HTTP remote at a
 * fixed https address. A server stands in its own member beside `_meta`, or is the item itself (before 2025-09).
 */
export function registryEntries(page: JsonObject, source: string): Entry[] {
  const items = Array.isArray(page['servers']) ? page['servers'] : [];
  return items.flatMap((item) => (isJsonObject(item) ? (entryOf(item, source) ?? []) : []));
}

function entryOf(item: JsonObject, source: string): Entry | undefined {
  const server = isJsonObject(item['server']) ? item['server'] : item;
  const remote = remoteOf(server);
  if (remote === undefined || !isActive(server, item)) return undefined;
  const name = text(server['name'], NAME_CHARS);
  const title = text(server['title'], TITLE_CHARS) ?? name;
  const notes = text(server['description'], NOTES_CHARS) ?? null;
  const entry = { name: slugOf(name ?? ''), title, url: remote['url'], auth: authOf(remote), documentation: documentationOf(server), notes, source };
  return catalogueContracts.catalogueEntry.safeParse(entry).data;
}

function documentationOf({ websiteUrl, repository }: JsonObject): string | null {
  const code = isJsonObject(repository) ? repository['url'] : undefined;
  return addressOf(websiteUrl) ?? addressOf(code) ?? null;
}

function remoteOf({ remotes }: JsonObject): JsonObject | undefined {
  if (!Array.isArray(remotes)) return undefined;
  return remotes.filter(isJsonObject).find(({ type, url }) => type === 'streamable-http' && addressOf(url) !== undefined);
}

/** A header that the registry asks for tells how to sign in; without one it does not say. */
function authOf({ headers }: JsonObject): Entry['auth'] {
  return Array.isArray(headers) && headers.length > 0 ? 'headers' : 'unknown';
}

function isActive(server: JsonObject, { _meta }: JsonObject): boolean {
  const official = isJsonObject(_meta) ? _meta[OFFICIAL] : undefined;
  const { status, isLatest } = isJsonObject(official) ? official : server;
  return (status === undefined || status === 'active') && isLatest !== false;
}

/** An https address without variables (`https://{tenant}.example`), which would need somebody to fill them in. */
function addressOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.startsWith('https://') && value.length <= URL_CHARS && !/[{}\s]/.test(value) && URL.canParse(value) ? value : undefined;
}

/** `com.notion/mcp` as `com-notion-mcp`: names of a registry are unique in it. */
function slugOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, SLUG_CHARS).replace(/^-+|-+$/g, '');
}

// PostgreSQL takes neither NUL nor half a surrogate pair, and registries hold what anybody published.
function text(value: JsonValue | undefined, most: number): string | undefined {
  return typeof value === 'string' ? value.replaceAll('\0', ' ').slice(0, most).toWellFormed() : undefined;
}
