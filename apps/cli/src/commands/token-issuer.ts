import { api, signInContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { path } from '../admin-api.js';
import { claimsFrom, withClaimOptions, type ClaimOptions } from '../claim-options.js';
import { usageFailure } from '../failure.js';
import { addList, addRemove, itemNamed, type Listing } from '../list-verb.js';
import { timeText, type Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { invocation, noun, verb, type Context } from '../verb.js';

type Issuer = signInContracts.TokenIssuer;

interface SetOptions extends ClaimOptions {
  issuer?: string;
  jwksUri?: string | false;
  audience?: string | false;
  provisioning?: string;
  allowPrivateNetwork?: boolean;
  output?: Format;
}

const LISTING: Listing<Issuer> = {
  summary: 'List the trusted token issuers',
  path: '/token-issuers',
  page: api.tokenIssuerPage,
  columns: {
    name: (issuer) => issuer.name,
    issuer: (issuer) => issuer.issuer,
    audience: (issuer) => issuer.audience,
    people: (issuer) => issuer.provisioning,
    keys: (issuer) => issuer.keys,
    'keys fetched': (issuer) => timeText(issuer.keysFetchedAt),
  },
};

/** `gatehouse token-issuer …`. */
export function addTokenIssuer(program: Command, context: Context): void {
  const issuer = noun(program, 'token-issuer', "The company's own authorization servers whose access tokens are accepted");
  addList(issuer, context, LISTING);
  const command = verb(issuer, 'set <name>', 'Trust an issuer, or change it; what is not named stays', 'gatehouse token-issuer set entra --issuer https://login.example.com/tenant --audience api://gatehouse')
    .option('--issuer <url>', 'as its tokens spell it in iss')
    .option('--jwks-uri <url>', "where its keys are (default: found by the issuer's metadata)")
    .option('--no-jwks-uri', "find its keys by the issuer's metadata")
    .option('--audience <aud>', "accepted in aud besides the endpoint's own address")
    .option('--no-audience', "accept only the endpoint's own address")
    .addOption(new Option('--provisioning <who>', 'whose tokens: of everybody there, or of people who were added before').choices(api.tokenIssuerBody.shape.provisioning.unwrap().options))
    .option('--allow-private-network', 'it is in a private network or on this machine')
    .option('--no-allow-private-network', 'it must be on a public address');
  withClaimOptions(command).action((name: string, options: SetOptions) => set(context, name, options));
  addRemove(issuer, context, { argument: '<name>', summary: 'Stop trusting an issuer: its tokens are refused at once', example: 'entra', path: '/token-issuers' });
}

async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  const held = await itemNamed(context, LISTING, name);
  if (held === undefined && options.issuer === undefined) throw usageFailure(`there is no token issuer ${name} yet: it needs --issuer`);
  const body = requestBody(api.tokenIssuerBody, { ...named(held), ...named(options), claims: claimsFrom(options, held?.claims) });
  const issuer = await context.api.ask({ method: 'PUT', path: `${LISTING.path}${path(name)}`, body, answer: signInContracts.tokenIssuer });
  invocation(context, options).answer(issuer, () => details(issuer));
}

/** The settings that are said; false is what a `--no-…` left. */
function named(from: SetOptions | Issuer | undefined): Record<string, unknown> {
  if (from === undefined) return {};
  const { issuer, provisioning, allowPrivateNetwork } = from;
  const all = { issuer, provisioning, allowPrivateNetwork, jwksUri: from.jwksUri === false ? null : from.jwksUri, audience: from.audience === false ? null : from.audience };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function details(issuer: Issuer): string {
  return fieldList({
    name: issuer.name,
    issuer: issuer.issuer,
    'keys at': issuer.jwksUri ?? 'found by its metadata',
    audience: issuer.audience,
    claims: `name=${issuer.claims.name} email=${issuer.claims.email} groups=${issuer.claims.groups}`,
    people: issuer.provisioning,
    keys: issuer.keys,
    'private network': issuer.allowPrivateNetwork ? 'allowed' : 'refused',
  });
}
