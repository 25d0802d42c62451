import { Serves } from '@gatehouse/bus';
import { catalogueContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Catalogue } from './catalogue.js';

type Entry = catalogueContracts.CatalogueEntry;

/** Answers for the catalogue. */
@Controller()
export class CatalogueController {
  constructor(private readonly catalogue: Catalogue) {}

  /** All entries. */
  @Serves(catalogueContracts.listCatalogue)
  list(): { items: Entry[] } {
    return { items: this.catalogue.list() };
  }

  /** One entry. */
  @Serves(catalogueContracts.getCatalogueEntry)
  get({ name }: { name: string }): Entry {
    return this.catalogue.get(name);
  }
}
