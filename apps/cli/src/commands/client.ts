import { api, clientContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { path } from '../admin-api.js';
import { addList, addRemove } from '../list-verb.js';
import { remark, timeText, type Format } from '../output/print.js';
import { fieldList, type Columns } from '../output/table.js';
import { publicKeysIn } from '../public-keys.js';
import { requestBody } from '../request-body.js';
import { each, eachOf, invocation, noun, verb, type Context } from '../verb.js';
import { addClientRegistration } from './client-registration.js';

type Client = clientContracts.OauthClient;

interface ClientOptions {
  redirectUri?: string[];
  authMethod?: string;
  jwksFile?: string;
  grant?: string[];
  requireDpop?: boolean;
  requirePar?: boolean;
  output?: Format;
}

const GRANT_PREFIX = 'urn:ietf:params:oauth:grant-type:';
const GRANTS = clientContracts.SPECIAL_GRANTS.map((grant) => grant.slice(GRANT_PREFIX.length));

const COLUMNS: Columns<Client> = {
  id: (client) => client.id,
  name: (client) => client.name,
  kind: (client) => client.kind,
  host: (client) => client.host,
  status: (client) => client.status,
  grants: (client) => client.grants,
  'last used': (client) => timeText(client.lastUsedAt),
};

const ACTS = { allow: 'Let a client in', deny: 'Keep a client out: its grants are over' } as const;

/** `gatehouse client …`. */
export function addClient(program: Command, context: Context): void {
  const client = noun(program, 'client', 'OAuth clients: what connects on behalf of people');
  addList(client, context, { summary: 'List the clients that came by themselves or were registered here', path: '/clients', page: api.clientPage, columns: COLUMNS });
  verb(client, 'add <name>', 'Register a client by hand; a secret is shown once', "gatehouse client add 'Portal' --redirect-uri https://portal.example.com/callback --auth-method client_secret_basic")
    .option('--redirect-uri <uri>', 'where people are sent back to (repeatable)', each)
    .addOption(
      new Option('--auth-method <method>', 'how it proves itself (default: none, or private_key_jwt with --jwks-file)').choices(clientContracts.createClient.request.shape.authMethod.options),
    )
    .option('--jwks-file <file>', 'its public keys; - for standard input')
    .addOption(eachOf('--grant <grant>', 'what it may do besides sending people here (repeatable)', GRANTS))
    .option('--require-dpop', 'its access tokens must be bound to its key (RFC 9449)')
    .option('--require-par', 'it must push its requests first (RFC 9126)')
    .action((name: string, options: ClientOptions) => add(context, name, options));
  for (const act of ['allow', 'deny'] as const) {
    verb(client, `${act} <id>`, ACTS[act], `gatehouse client ${act} https://client.example.com/oauth/client.json`).action((id: string, options: ClientOptions) => decide(context, id, act, options));
  }
  addRemove(client, context, { argument: '<id>', summary: 'Remove a client and every grant of it', example: 'dcr_3k1jRlsT0lWmGsmmOWEZBw', path: '/clients' });
  addClientRegistration(client, context);
}

async function add(context: Context, name: string, options: ClientOptions): Promise<void> {
  const jwks = options.jwksFile === undefined ? null : await publicKeysIn(options.jwksFile, context.surroundings);
  const body = requestBody(api.clientBody, {
    name,
    redirectUris: options.redirectUri,
    authMethod: options.authMethod ?? (jwks === null ? 'none' : 'private_key_jwt'),
    jwks,
    specialGrants: options.grant?.map((grant) => `${GRANT_PREFIX}${grant}`),
    requireDpop: options.requireDpop,
    requirePar: options.requirePar,
  });
  const created = await context.api.ask({ method: 'POST', path: '/clients', body, answer: api.createdClient });
  const { secret } = created;
  invocation(context, options).answer(created, () => fieldList({ ...details(created), ...(secret === null ? {} : { secret }) }));
  if (secret !== null && context.surroundings.stderr.isTerminal) remark(context.surroundings, 'Keep the secret now: it is not shown again.');
}

async function decide(context: Context, id: string, act: 'allow' | 'deny', options: ClientOptions): Promise<void> {
  const client = await context.api.ask({ method: 'POST', path: `/clients${path(id)}/${act}`, answer: clientContracts.oauthClient });
  invocation(context, options).answer(client, () => fieldList(details(client)));
}

function details(client: Client) {
  return {
    id: client.id,
    name: client.name,
    kind: client.kind,
    status: client.status,
    'redirect URIs': client.redirectUris.join(', '),
    proof: client.authMethod,
    'grant types': client.grantTypes.join(', '),
    DPoP: client.requireDpop ? 'required' : 'optional',
    grants: client.grants,
    created: timeText(client.createdAt),
  };
}
