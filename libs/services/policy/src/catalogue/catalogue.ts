import { readFileSync } from 'node:fs';
import { catalogueContracts, type Actor } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { z } from 'zod';
import { readPresetBook, type PresetBook } from '../presets/preset-book.js';

type Entry = catalogueContracts.CatalogueEntry;

/** Beside `src` and `dist` alike. */
const WELL_KNOWN = new URL('../../catalogue/well-known.json', import.meta.url);

const LIST = 'SELECT entry FROM catalogue_entries WHERE $1::text IS NULL OR name COLLATE "C" > $1 ORDER BY name COLLATE "C" LIMIT $2';
const INSERT = `
  INSERT INTO catalogue_entries (name, source, entry)
  SELECT name, $1, entry::json FROM unnest($2::text[], $3::text[]) AS given (name, entry) ON CONFLICT DO NOTHING RETURNING name`;

/** The well-known servers of the file; policy does not start with a broken one. */
export function wellKnownServers(text: string = readFileSync(WELL_KNOWN, 'utf8')): Entry[] {
  return z.array(catalogueContracts.catalogueEntry).parse(JSON.parse(text));
}

/** Remote servers that can be registered by name: the well-known ones, and what was imported from registries. */
export class Catalogue {
  readonly #own: ReadonlyMap<string, Entry>;

  constructor(
    private readonly db: Database,
    private readonly log: Logger,
    own: readonly Entry[] = wellKnownServers(),
  ) {
    this.#own = new Map(own.map((entry) => [entry.name, entry]));
  }

  /** Entries by name, after `after`. */
  async list(after: string | null, limit: number): Promise<Entry[]> {
    const rows = await this.db.query<{ entry: Entry }>(LIST, [after, limit]);
    const own = [...this.#own.values()].filter(({ name }) => after === null || name > after);
    const book = await readPresetBook(this.db);
    const entries = [...own, ...rows.map(({ entry }) => entry)].sort((one, other) => (one.name < other.name ? -1 : 1)).slice(0, limit);
    return entries.map((entry) => shown(entry, book));
  }

  /** One entry; refuses with `not_found`. */
  async get(name: string): Promise<Entry> {
    const [row] = await this.db.query<{ entry: Entry }>('SELECT entry FROM catalogue_entries WHERE name = $1', [name]);
    const entry = this.#own.get(name) ?? row?.entry;
    if (entry === undefined) throw new Refusal('not_found', { catalogue: name });
    return shown(entry, await readPresetBook(this.db));
  }

  /** Replaces what came from a source before; a name that the file or another source has stays theirs. How many are there now. */
  async replace({ callerId, tokenId }: Actor, source: string, entries: readonly Entry[]): Promise<number> {
    const free = entries.filter(({ name }) => !this.#own.has(name));
    const imported = await this.db.transaction(async (tx) => {
      await tx.query('DELETE FROM catalogue_entries WHERE source = $1', [source]);
      const texts = free.map((entry) => JSON.stringify({ ...entry, source }));
      return (await tx.query(INSERT, [source, free.map(({ name }) => name), texts])).length;
    });
    this.log.info({ actor: callerId, tokenId, source, imported }, 'catalogue imported');
    return imported;
  }
}

function shown(entry: Entry, book: PresetBook): Entry {
  return { ...entry, preset: book.of(entry.url)?.name ?? null };
}
