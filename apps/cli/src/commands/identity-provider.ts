import { api, signInContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { CliFailure, EXIT, usageFailure } from '../failure.js';
import { addList, addRemove, itemNamed, type Listing } from '../list-verb.js';
import type { Format } from '../output/print.js';
import { table } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { invocation, noun, verb, type Context } from '../verb.js';
import { addIdentityProviderSet } from './identity-provider-set.js';

type Provider = signInContracts.IdentityProvider;

interface TestOptions {
  issuer?: string;
  allowPrivateNetwork?: boolean;
  output?: Format;
}

/** The list of identity providers. */
export const IDENTITY_PROVIDERS: Listing<Provider> = {
  summary: 'List the identity providers',
  path: '/identity-providers',
  page: api.identityProviderPage,
  columns: {
    name: (provider) => provider.name,
    shown: (provider) => provider.displayName,
    issuer: (provider) => provider.issuer,
    client: (provider) => provider.clientId,
    people: (provider) => provider.provisioning,
    state: (provider) => (provider.enabled ? 'enabled' : 'disabled'),
    'set by': (provider) => provider.managedBy,
  },
};

/** `gatehouse identity-provider …`. */
export function addIdentityProvider(program: Command, context: Context): void {
  const provider = noun(program, 'identity-provider', 'Where people sign in (OpenID Connect)');
  addList(provider, context, IDENTITY_PROVIDERS);
  addIdentityProviderSet(provider, context);
  addRemove(provider, context, { argument: '<name>', summary: 'Remove a provider: who signed in there is signed out', example: 'okta', path: '/identity-providers' });
  verb(provider, 'test [name]', 'Look whether a provider can be used, signing nobody in; exit 4 when not', 'gatehouse identity-provider test --issuer https://example.okta.com')
    .option('--issuer <url>', 'of a provider that is not set yet')
    .option('--allow-private-network', 'it is in a private network or on this machine')
    .action((...given: [string | undefined, TestOptions]) => test(context, given));
}

async function test(context: Context, [name, options]: [string | undefined, TestOptions]): Promise<void> {
  if ((name === undefined) === (options.issuer === undefined)) throw usageFailure('name a provider, or give --issuer', 'gatehouse identity-provider list');
  const held = name === undefined ? undefined : await named(context, name);
  const asked = { issuer: options.issuer ?? held?.issuer, allowPrivateNetwork: options.allowPrivateNetwork ?? held?.allowPrivateNetwork };
  const body = requestBody(api.identityProviderTest, asked);
  const trial = await context.api.ask({ method: 'POST', path: '/identity-providers/test', body, answer: signInContracts.testIdentityProvider.reply });
  const columns = { step: ({ step }: Step) => step, ok: ({ ok }: Step) => (ok ? 'yes' : 'no'), detail: ({ detail }: Step) => detail };
  invocation(context, options).answer(trial, () => table(columns, trial.steps));
  const failed = trial.steps.find(({ ok }) => !ok);
  if (!trial.ok) throw new CliFailure({ message: `the provider cannot be used: ${failed?.detail ?? 'a step failed'}`, exit: EXIT.checkFailed });
}

type Step = { step: string; ok: boolean; detail: string };

async function named(context: Context, name: string): Promise<Provider> {
  const held = await itemNamed(context, IDENTITY_PROVIDERS, name);
  if (held === undefined) throw new CliFailure({ message: `there is no identity provider ${name}`, code: 'not_found', next: 'gatehouse identity-provider list' });
  return held;
}
