import { api, type clientContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import type { z } from 'zod';
import { addList } from '../list-verb.js';
import { timeText, type Format } from '../output/print.js';
import { table, type Columns } from '../output/table.js';
import { invocation, noun, verb, type Context } from '../verb.js';

interface RotateOptions {
  retireNow?: boolean;
  output?: Format;
}

const COLUMNS: Columns<z.output<typeof clientContracts.signingKey>> = {
  id: (key) => key.id,
  state: (key) => key.state,
  retired: (key) => timeText(key.retiredAt),
};

/** `gatehouse signing-key …`. */
export function addSigningKey(program: Command, context: Context): void {
  const key = noun(program, 'signing-key', 'The keys that access tokens are signed with');
  addList(key, context, { summary: 'List the keys that sign and verify access tokens', path: '/signing-keys', page: api.signingKeyPage, columns: COLUMNS });
  verb(key, 'rotate', 'Sign with the next key from now on; tokens of the old one stay good until they expire', 'gatehouse signing-key rotate')
    .option('--retire-now', 'refuse all tokens of the old key at once: it was lost or seen by others')
    .action((options: RotateOptions) => rotate(context, options));
}

async function rotate(context: Context, options: RotateOptions): Promise<void> {
  const body = { retireNow: options.retireNow ?? false };
  const { items } = await context.api.ask({ method: 'POST', path: '/signing-keys/rotate', body, answer: api.signingKeyPage });
  invocation(context, options).answer(items, () => table(COLUMNS, items, context.surroundings.stdout.columns));
}
