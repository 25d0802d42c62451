import { api, type vaultContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import type { z } from 'zod';
import { timeText, type Format } from '../output/print.js';
import { table, type Columns } from '../output/table.js';
import { invocation, noun, verb, type Context } from '../verb.js';

type VaultKeys = z.output<typeof api.vaultKeys>;

const PURPOSES: readonly vaultContracts.RotatedKeys[] = ['credential', 'session', 'digest', 'policy-signing', 'directory-signing', 'call-signing', 'entry'];

const COLUMNS: Columns<VaultKeys['keys'][number]> = {
  what: (key) => key.what,
  active: (key) => key.active,
  version: (key) => String(key.version),
  since: (key) => timeText(key.createdAt),
  retired: (key) => String(key.retired),
};

/** `gatehouse vault-key …`. */
export function addVaultKey(program: Command, context: Context): void {
  const key = noun(program, 'vault-key', "The vault's own keys");
  verb(key, 'show', 'Show the active keys, their age, and how far moves to new ones are', 'gatehouse vault-key show').action((options: { output?: Format }) => show(context, options));
  verb(key, 'rotate', 'Make a new active key; what the old one sealed is moved in the background', 'gatehouse vault-key rotate credential')
    .argument('<what>', `one of ${PURPOSES.join(', ')}`)
    .action((what: string, options: { output?: Format }) => rotate(context, what, options));
}

async function show(context: Context, options: { output?: Format }): Promise<void> {
  const keys = await context.api.ask({ method: 'GET', path: '/vault-keys', answer: api.vaultKeys });
  invocation(context, options).answer(keys, () => `${table(COLUMNS, keys.keys, context.surroundings.stdout.columns)}\n${movesText(keys)}`);
}

async function rotate(context: Context, what: string, options: { output?: Format }): Promise<void> {
  const { keys } = await context.api.ask({ method: 'GET', path: '/vault-keys', answer: api.vaultKeys });
  const expectedActive = keys.find((key) => key.what === what)?.active ?? '';
  const rotated = await context.api.ask({ method: 'POST', path: '/vault-keys/rotate', body: { what, expectedActive }, answer: api.rotatedVaultKeys });
  invocation(context, options).answer(rotated, () => (rotated.rotated ? `${what}: ${rotated.active} is active now` : `${what}: somebody else rotated it just now; ${rotated.active} is active`));
}

function movesText({ root, secrets }: VaultKeys): string {
  return [`key-encryption key ${root.id}: ${leftText(root.move.left, 'keys')}`, `credential key: ${leftText(secrets.left, 'secrets')}`].join('\n');
}

function leftText(left: number, what: string): string {
  return left === 0 ? 'nothing needs an older one' : `${left} ${what} are still to be moved`;
}
