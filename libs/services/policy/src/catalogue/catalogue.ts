import { readFileSync } from 'node:fs';
import { catalogueContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { z } from 'zod';

type Entry = catalogueContracts.CatalogueEntry;

/** Beside `src` and `dist` alike. */
const WELL_KNOWN = new URL('../../catalogue/well-known.json', import.meta.url);

/** The well-known remote servers that can be registered by name; read once, and policy does not start with a broken file. */
export class Catalogue {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(text: string = readFileSync(WELL_KNOWN, 'utf8')) {
    const entries = z.array(catalogueContracts.catalogueEntry).parse(JSON.parse(text));
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /** All entries, by name. */
  list(): Entry[] {
    return [...this.#entries.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** One entry; refuses with `not_found`. */
  get(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Refusal('not_found', { catalogue: name });
    return entry;
  }
}
