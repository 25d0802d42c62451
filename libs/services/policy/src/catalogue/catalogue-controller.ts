import { Serves } from '@gatehouse/bus';
import { catalogueContracts, type Actor } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Catalogue } from './catalogue.js';

type Entry = catalogueContracts.CatalogueEntry;

/** Answers for the catalogue. */
@Controller()
export class CatalogueController {
  constructor(private readonly catalogue: Catalogue) {}

  /** Entries by name. */
  @Serves(catalogueContracts.listCatalogue)
  async list({ after, limit }: { after: string | null; limit: number }): Promise<{ items: Entry[] }> {
    return { items: await this.catalogue.list(after, limit) };
  }

  /** One entry. */
  @Serves(catalogueContracts.getCatalogueEntry)
  get({ name }: { name: string }): Promise<Entry> {
    return this.catalogue.get(name);
  }

  /** What a registry has. */
  @Serves(catalogueContracts.importCatalogue)
  async import({ actor, source, entries }: { actor: Actor; source: string; entries: Entry[] }): Promise<{ imported: number }> {
    return { imported: await this.catalogue.replace(actor, source, entries) };
  }
}
