import { api, signInContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { path } from '../admin-api.js';
import { claimsFrom, withClaimOptions, type ClaimOptions } from '../claim-options.js';
import { usageFailure } from '../failure.js';
import { itemNamed } from '../list-verb.js';
import type { Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { secretFile, secretFrom } from '../secret-source.js';
import { each, invocation, verb, type Context } from '../verb.js';

type Provider = signInContracts.IdentityProvider;
type Rule = Provider['administratorRule'];

interface SetOptions extends ClaimOptions {
  displayName?: string;
  issuer?: string;
  clientId?: string;
  clientSecret?: string;
  clientSecretFile?: string;
  scope?: string[];
  administrator?: string | false;
  provisioning?: string;
  linkByEmail?: boolean;
  identityAssertions?: boolean;
  keepTokens?: boolean;
  allowPrivateNetwork?: boolean;
  enabled?: boolean;
  output?: Format;
}

/** What the options and the API call the same. */
const PLAIN = ['displayName', 'issuer', 'clientId', 'provisioning', 'linkByEmail', 'identityAssertions', 'keepTokens', 'allowPrivateNetwork', 'enabled'] as const;
const LISTING = { path: '/identity-providers', page: api.identityProviderPage };

/** `gatehouse identity-provider set`. */
export function addIdentityProviderSet(provider: Command, context: Context): void {
  const example = 'gatehouse identity-provider set okta --issuer https://example.okta.com --client-id 0oa1 --client-secret-file okta.secret --administrator groups=gatehouse-admins';
  const command = verb(provider, 'set <name>', 'Set up a provider, or change it; what is not named stays', example)
    .option('--issuer <url>', 'its issuer, as its metadata spells it')
    .option('--client-id <id>', 'the client id it gave Gatehouse')
    .option('--client-secret-file <file>', 'file with the client secret; - for standard input')
    .option('--client-secret <source>', 'where the client secret is: env:VAR, file:PATH or -')
    .option('--display-name <text>', 'what the sign-in page shows (default: the name)')
    .option('--scope <scope>', 'all scopes to ask for (repeatable; default: openid, profile, email)', each)
    .option('--administrator <claim=value>', 'who becomes administrator while nobody who can sign in is one')
    .option('--no-administrator', 'nobody becomes administrator by a claim')
    .addOption(new Option('--provisioning <who>', 'who may sign in: everybody there, or people who were added before').choices(api.identityProviderBody.shape.provisioning.unwrap().options));
  for (const [flag, on, off] of SWITCHES) command.option(`--${flag}`, on).option(`--no-${flag}`, off);
  withClaimOptions(command).action((name: string, options: SetOptions) => set(context, name, options));
}

const SWITCHES = [
  ['link-by-email', 'join people who were added before by their verified address', 'join nobody by address'],
  ['identity-assertions', 'take its identity assertions (ID-JAG) for tokens', 'take no identity assertions'],
  ['keep-tokens', 'keep the tokens of a sign-in while it lasts, to make accounts at servers from them', 'keep no tokens of sign-ins'],
  ['allow-private-network', 'it is in a private network or on this machine', 'it must be on a public address'],
  ['enabled', 'people can sign in there', 'nobody can sign in there'],
] as const;

async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  const rule = administratorFrom(options.administrator);
  const clientSecret = await secretOf(context, options);
  const held = await itemNamed(context, LISTING, name);
  if (held === undefined) requireNew(name, options);
  const body = requestBody(api.identityProviderBody, {
    displayName: name,
    ...named(held),
    ...named(options),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    scopes: options.scope ?? held?.scopes,
    claims: claimsFrom(options, held?.claims),
    administratorRule: rule === undefined ? held?.administratorRule : rule,
  });
  const provider = await context.api.ask({ method: 'PUT', path: `${LISTING.path}${path(name)}`, body, answer: signInContracts.identityProvider });
  invocation(context, options).answer(provider, () => details(provider));
}

function requireNew(name: string, { issuer, clientId }: SetOptions): void {
  if (issuer !== undefined && clientId !== undefined) return;
  throw usageFailure(`there is no identity provider ${name} yet: it needs --issuer and --client-id`);
}

/** The plain settings that are said. */
function named(from: SetOptions | Provider | undefined): Record<string, unknown> {
  return Object.fromEntries(PLAIN.map((field) => [field, from?.[field]] as const).filter(([, value]) => value !== undefined));
}

async function secretOf({ surroundings }: Context, { clientSecret, clientSecretFile }: SetOptions): Promise<string | undefined> {
  if (clientSecret !== undefined && clientSecretFile !== undefined) throw usageFailure('--client-secret and --client-secret-file: name one of them');
  if (clientSecretFile !== undefined) return secretFile(clientSecretFile, surroundings);
  return clientSecret === undefined ? undefined : secretFrom(clientSecret, surroundings, '--client-secret takes env:VAR, file:PATH or -');
}

function administratorFrom(option: string | false | undefined): Rule | undefined {
  if (option === undefined || option === false) return option === false ? null : undefined;
  const at = option.indexOf('=');
  if (at < 1 || at === option.length - 1) throw usageFailure('--administrator takes CLAIM=VALUE', 'for example groups=gatehouse-admins');
  return { claim: option.slice(0, at), value: option.slice(at + 1) };
}

function details(provider: Provider): string {
  const { administratorRule: rule, claims } = provider;
  return fieldList({
    name: provider.name,
    shown: provider.displayName,
    issuer: provider.issuer,
    'client id': provider.clientId,
    'client secret': provider.hasSecret ? 'stored' : 'none',
    scopes: provider.scopes.join(' '),
    claims: `name=${claims.name} email=${claims.email} groups=${claims.groups}`,
    people: provider.provisioning,
    'join by e-mail': provider.linkByEmail ? 'yes' : 'no',
    administrator: rule === null ? null : `${rule.claim}=${rule.value}`,
    'identity assertions': provider.identityAssertions ? 'accepted' : 'refused',
    'tokens of sign-ins': provider.keepTokens ? 'kept' : 'not kept',
    'private network': provider.allowPrivateNetwork ? 'allowed' : 'refused',
    state: provider.enabled ? 'enabled' : 'disabled',
  });
}
