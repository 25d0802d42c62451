import { api, policyContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { headersFrom, type HeaderOptions } from '../header-options.js';
import { remark, type Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { adviceFor, afterProbe, healthText, toolNames } from '../probe-watch.js';
import { namedText } from '../secret-source.js';
import { requestBody } from '../request-body.js';
import { each, invocation, verb, type Context } from '../verb.js';

/** A URL has a colon; the names of the catalogue have letters, digits and hyphens. */
const CATALOGUE_NAME = /^[a-z0-9-]+$/;

interface AddOptions extends HeaderOptions {
  name?: string;
  transport?: string;
  identityMode?: string;
  stateless?: boolean;
  allowPrivateNetwork?: boolean;
  caFile?: string;
  output?: Format;
}

/** `gatehouse server add`: registers, waits for the first probe and says what it found. */
export function addServerAdd(server: Command, context: Context): void {
  verb(server, 'add <url-or-name>', 'Register an MCP server, by its URL or by its name in the catalogue', "gatehouse server add https://mcp.example.com/mcp --name files --secret-header 'X-Api-Key=env:FILES_KEY'")
    .option('--name <name>', 'name and endpoint slug (default: from the host)')
    .addOption(new Option('--transport <transport>', 'how to talk to it').choices(api.serverBody.shape.transport.unwrap().options))
    .option('--header <name=value>', 'plain header sent with every request (repeatable)', each)
    .option('--secret-header <name=source>', 'secret header; source is env:VAR, file:PATH or - (repeatable)', each)
    .option('--bearer-token-file <file>', 'file with a token, sent as Authorization: Bearer')
    .addOption(new Option('--identity-mode <mode>', 'whose credential calls carry').choices(policyContracts.identityMode.options))
    .option('--stateless', 'it takes POST only: GET, HEAD and DELETE are answered here')
    .option('--ca-file <file>', 'PEM certificates to trust for this server alone (- is standard input)')
    .option('--allow-private-network', 'the server is in a private network or on this machine')
    .action((url: string, options: AddOptions) => add(context, url, options));
}

async function add(context: Context, url: string, options: AddOptions): Promise<void> {
  const body = await bodyFrom(context, url, options);
  const created = await context.api.ask({ method: 'POST', path: '/servers', body, answer: policyContracts.server });
  if (context.surroundings.stderr.isTerminal) remark(context.surroundings, `${created.name} is registered; waiting for the first look at it …`);
  const server = await afterProbe(context.api, created.name, null);
  const tools = await toolNames(context.api, server);
  invocation(context, options).answer(server, () =>
    fieldList({ server: server.name, endpoint: endpointUrl(context, server.name), forwards: server.url, health: healthText(server), tools }),
  );
  const advice = adviceFor(server);
  if (advice !== undefined) remark(context.surroundings, `${healthText(server)}\nnext: ${advice}`);
}

async function bodyFrom(context: Context, url: string, options: AddOptions): Promise<unknown> {
  const headers = await headersFrom(options, context.surroundings);
  const caCertificate = options.caFile === undefined ? undefined : await namedText(options.caFile, context.surroundings);
  return requestBody(api.serverBody, {
    ...(CATALOGUE_NAME.test(url) ? { catalogue: url } : { url }),
    name: options.name,
    transport: options.transport,
    identityMode: options.identityMode,
    stateless: options.stateless,
    allowPrivateNetwork: options.allowPrivateNetwork,
    caCertificate,
    auth: headers.length === 0 ? undefined : { kind: 'headers', headers },
  });
}

/** Where clients reach a server. */
export function endpointUrl(context: Context, name: string): string {
  return `${context.surroundings.url.replace(/\/$/, '')}/mcp/${name}`;
}
