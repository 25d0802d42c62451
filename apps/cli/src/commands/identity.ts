import { api, identityContracts } from '@gatehouse/contracts';
import { idPattern } from '@gatehouse/kernel';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { personIdOf } from '../callers.js';
import { CliFailure } from '../failure.js';
import { IDENTITY_COLUMNS, identityDetails } from '../identity-view.js';
import type { Format } from '../output/print.js';
import { cellText, fieldList, table } from '../output/table.js';
import { invocation, noun, verb, type Context } from '../verb.js';

type Identity = identityContracts.Identity;

interface Options {
  all?: boolean;
  server?: string;
  person?: string;
  output?: Format;
}

const IDENTITY = idPattern('identity');

/** `gatehouse identity …`. */
export function addIdentity(program: Command, context: Context): void {
  const identity = noun(program, 'identity', 'Accounts at servers: your own and the shared ones');
  verb(identity, 'list', 'List your accounts and the shared ones', 'gatehouse identity list')
    .option('--all', "everybody's (needs identities.read)")
    .option('--server <name>', 'only at this server')
    .action((options: Options) => list(context, options));
  verb(identity, 'prefer <which>', 'Use this one where there are several (id, NAME or SERVER/NAME)', 'gatehouse identity prefer github/work').action((which: string, options: Options) =>
    change(context, { which, act: 'prefer' }, options),
  );
  verb(identity, 'share <which>', 'Make your account the shared one: everybody the server is open to calls with it', 'gatehouse identity share github/work').action((which: string, options: Options) =>
    change(context, { which, act: 'share' }, options),
  );
  verb(identity, 'rm <which>', 'End an account here, and at its provider where that is possible', 'gatehouse identity rm github/work').action((which: string, options: Options) => remove(context, which, options));
  verb(identity, 'explain <server>', 'Say whose account a call of a server would carry now, and why', 'gatehouse identity explain github --person ada@example.com')
    .option('--person <who>', 'of whom: id, e-mail or name (default: you)')
    .action((server: string, options: Options) => explain(context, server, options));
}

async function list(context: Context, options: Options): Promise<void> {
  const identities = await context.api.all('/identities', api.identityPage, { all: options.all, server: options.server });
  invocation(context, options).answer(identities, () => table(IDENTITY_COLUMNS, identities, context.surroundings.stdout.columns));
}

async function change(context: Context, { which, act }: { which: string; act: 'prefer' | 'share' }, options: Options): Promise<void> {
  const id = await identityIdOf(context, which);
  const changed = await context.api.ask({ method: 'POST', path: `/identities${path(id)}/${act}`, answer: identityContracts.identity });
  invocation(context, options).answer(changed, () => identityDetails(changed));
}

async function remove(context: Context, which: string, options: Options): Promise<void> {
  const id = await identityIdOf(context, which);
  await context.api.ask({ method: 'DELETE', path: `/identities${path(id)}` });
  invocation(context, options).answer({ removed: id }, () => fieldList({ removed: which }));
}

async function explain(context: Context, server: string, options: Options): Promise<void> {
  const person = options.person === undefined ? undefined : await personIdOf(context.api, options.person);
  const explained = await context.api.ask({ path: '/identities/explain', query: { server, person }, answer: api.explanation });
  invocation(context, options).answer(explained, () => `${cellText(explained.sentence)}\n`);
}

/** The id of the one identity that is meant; an id is taken as it is, and one's own goes before the shared one of the same name. */
async function identityIdOf(context: Context, which: string): Promise<string> {
  if (IDENTITY.test(which)) return which;
  const seen = await context.api.all('/identities', api.identityPage);
  const named = seen.filter(({ server, name }) => [name, `${server}/${name}`].includes(which));
  const own = named.filter(({ owner }) => owner !== 'global');
  const found = [own.length > 0 ? own : named, seen.filter(({ server }) => server === which)].find((some) => some.length > 0) ?? [];
  return theOne(found, which).id;
}

function theOne(found: readonly Identity[], which: string): Identity {
  const [one] = found;
  if (one === undefined) throw new CliFailure({ message: `there is no account ${which} that you may see`, code: 'not_found', next: 'gatehouse identity list' });
  if (found.length > 1) throw new CliFailure({ message: `${found.length} accounts are called ${which}`, next: 'name one by SERVER/NAME or by its id: gatehouse identity list' });
  return one;
}
