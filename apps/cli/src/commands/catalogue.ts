import { api, type catalogueContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { addList } from '../list-verb.js';
import type { Columns } from '../output/table.js';
import { noun, type Context } from '../verb.js';

const COLUMNS: Columns<catalogueContracts.CatalogueEntry> = {
  name: (entry) => entry.name,
  title: (entry) => entry.title,
  auth: (entry) => entry.auth,
  url: (entry) => entry.url,
  documentation: (entry) => entry.documentation,
};

/** `gatehouse catalogue …`. */
export function addCatalogue(program: Command, context: Context): void {
  const catalogue = noun(program, 'catalogue', 'Well-known servers: gatehouse server add NAME registers one');
  addList(catalogue, context, { summary: 'List what the catalogue has', path: '/catalogue', page: api.cataloguePage, columns: COLUMNS });
}
