import { api, type catalogueContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { addList } from '../list-verb.js';
import { fieldList, type Columns } from '../output/table.js';
import type { Format } from '../output/print.js';
import { requestBody } from '../request-body.js';
import { invocation, noun, verb, type Context } from '../verb.js';

interface ImportOptions {
  allowPrivateNetwork?: boolean;
  output?: Format;
}

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
  verb(catalogue, 'import <url>', 'Take over what an MCP Registry has, in place of what was imported from it before', 'gatehouse catalogue import https://registry.modelcontextprotocol.io')
    .option('--allow-private-network', 'the registry is in a private network or on this machine')
    .action((url: string, options: ImportOptions) => importFrom(context, url, options));
}

async function importFrom(context: Context, url: string, options: ImportOptions): Promise<void> {
  const body = requestBody(api.importBody, { url, allowPrivateNetwork: options.allowPrivateNetwork });
  const result = await context.api.ask({ method: 'POST', path: '/catalogue/import', body, answer: api.importedEntries });
  invocation(context, options).answer(result, () => fieldList({ imported: result.imported, 'left out': result.isCut ? 'what was too much' : 'nothing' }));
}
