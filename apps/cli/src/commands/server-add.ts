import { api, serverContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { connectAccount, CONNECT_LIMIT_MS } from '../connect-account.js';
import { remark } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { afterProbeWith, healthText, toolNames } from '../probe-watch.js';
import { requestBody } from '../request-body.js';
import { settingsFrom, withSettingOptions, type SettingOptions } from '../server-settings.js';
import { narration, needsPerson, nextFor } from '../sign-in-steps.js';
import { invocation, verb, type Context } from '../verb.js';

type Server = serverContracts.Server;

/** A URL has a colon; the names of the catalogue have letters, digits and hyphens. */
const CATALOGUE_NAME = /^[a-z0-9-]+$/;

interface AddOptions extends SettingOptions {
  name?: string;
}

/** `gatehouse server add`: registers, waits for the first probe, says what it found and what is next. */
export function addServerAdd(server: Command, context: Context): void {
  const command = verb(server, 'add <url-or-name>', 'Register an MCP server, by its URL or by its name in the catalogue', 'gatehouse server add https://mcp.example.com/mcp');
  withSettingOptions(command.option('--name <name>', 'name and endpoint slug (default: from the host)')).action((url: string, options: AddOptions) => add(context, url, options));
}

async function add(context: Context, url: string, options: AddOptions): Promise<void> {
  const settings = await settingsFrom(options, context.surroundings);
  const body = requestBody(api.serverBody, { ...(CATALOGUE_NAME.test(url) ? { catalogue: url } : { url }), name: options.name, ...settings });
  const created = await context.api.ask({ method: 'POST', path: '/servers', body, answer: serverContracts.server });
  if (context.surroundings.stderr.isTerminal) remark(context.surroundings, `${created.name} is registered; waiting for the first look at it …`);
  const server = await afterProbeWith(context.api, created.name, null, body.auth);
  const tools = await toolNames(context.api, server);
  invocation(context, options).answer(server, () =>
    `${narration(server)}${fieldList({ server: server.name, endpoint: endpointUrl(context, server.name), forwards: server.url, health: healthText(server), tools })}`,
  );
  await tellNext(context, server, options);
}

/** Says what is next, and where that is to connect an account, lets whoever sits there do it at once. */
export async function tellNext(context: Context, server: Server, options: SettingOptions): Promise<void> {
  const { surroundings } = context;
  const next = nextFor(server, surroundings);
  if (next !== undefined) remark(surroundings, `${healthText(server)}\nnext: ${next}`);
  const canConnect = server.health.verdict === 'sign_in' && server.health.status !== 'healthy' && needsPerson(server);
  if (!canConnect || !surroundings.interactive) return;
  const visibility = server.identityMode === 'global' ? ('global' as const) : ('private' as const);
  await connectAccount(context, { server: server.name, visibility, browser: options.browser !== false, timeoutMs: CONNECT_LIMIT_MS });
  remark(surroundings, `The account is connected: gatehouse server tools ${server.name}`);
}

/** Where clients reach a server. */
export function endpointUrl(context: Context, name: string): string {
  return `${context.surroundings.url.replace(/\/$/, '')}/mcp/${name}`;
}
