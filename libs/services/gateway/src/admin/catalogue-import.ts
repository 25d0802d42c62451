import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { catalogueContracts, type Actor, type api } from '@gatehouse/contracts';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { Destination, Outbound } from '@gatehouse/outbound';
import type { z } from 'zod';
import { registryEntries } from './registry-entries.js';
import { OUTBOUND } from './server-registration.js';

type Entry = catalogueContracts.CatalogueEntry;
type Wanted = z.output<typeof api.importBody>;

const PAGE_BYTES = 2 * 1024 * 1024;
const PAGE_ITEMS = 100;
const MOST_PAGES = 20;
/** All pages together: a registry that is slow on purpose must not hold a request of the admin API. */
const IMPORT_MS = 20_000;

/** Reads an MCP Registry (`GET /v0/servers`) and gives what can be registered to policy. */
@Injectable()
export class CatalogueImport {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(OUTBOUND) private readonly outbound: Outbound,
  ) {}

  /** Refuses with `url_refused`, with what keeps a server from being reached, and with `upstream_invalid` for what is no registry. */
  async run({ url, allowPrivateNetwork }: Wanted, actor: Actor): Promise<z.output<typeof api.importedEntries>> {
    const start = listAddress(url);
    const open = (cursor: string | undefined): Destination => this.outbound.destination(pageAddress(start, cursor), { allowPrivateNetwork });
    const { found, hasMore } = await allEntries(open, start);
    const entries = [...new Map(found.map((entry) => [entry.name, entry])).values()];
    const kept = entries.slice(0, catalogueContracts.MOST_IMPORTED);
    const { imported } = await this.bus.request(catalogueContracts.importCatalogue, { actor, source: start, entries: kept });
    return { imported, isCut: hasMore || entries.length > kept.length };
  }
}

async function allEntries(open: (cursor: string | undefined) => Destination, source: string): Promise<{ found: Entry[]; hasMore: boolean }> {
  const signal = AbortSignal.timeout(IMPORT_MS);
  const found: Entry[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MOST_PAGES && found.length <= catalogueContracts.MOST_IMPORTED; pages += 1) {
    const page = await pageAt(open(cursor), signal);
    found.push(...registryEntries(page, source));
    cursor = nextOf(page);
    if (cursor === undefined) break;
  }
  return { found, hasMore: cursor !== undefined };
}

async function pageAt(destination: Destination, signal: AbortSignal): Promise<JsonObject> {
  const headers = { accept: 'application/json', 'user-agent': 'gatehouse' };
  const { status, body } = await destination.fetchSmall({ method: 'GET', headers, maxBytes: PAGE_BYTES, timeoutMs: IMPORT_MS, signal });
  if (status !== 200) throw new Refusal('upstream_refused', { status });
  const page = jsonOf(body);
  if (!isJsonObject(page) || !Array.isArray(page['servers'])) throw new Refusal('upstream_invalid', { reason: 'no_registry' });
  return page;
}

function nextOf({ metadata }: JsonObject): string | undefined {
  const next = isJsonObject(metadata) ? (metadata['nextCursor'] ?? metadata['next_cursor']) : undefined;
  return typeof next === 'string' && next !== '' ? next : undefined;
}

function listAddress(url: string): string {
  if (!URL.canParse(url)) throw new Refusal('url_refused', { reason: 'not_a_url' });
  const address = new URL(url);
  if (!address.pathname.endsWith('/servers')) address.pathname = `${address.pathname.replace(/\/$/, '')}/v0/servers`;
  return address.href;
}

function pageAddress(start: string, cursor: string | undefined): string {
  const address = new URL(start);
  address.searchParams.set('limit', String(PAGE_ITEMS));
  address.searchParams.set('version', 'latest');
  if (cursor !== undefined) address.searchParams.set('cursor', cursor);
  return address.href;
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // Not JSON: no registry either.
    return undefined;
  }
}
