import { api, serverContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { path } from '../admin-api.js';
import { usageFailure } from '../failure.js';
import { afterProbeWith, bringsValues } from '../probe-watch.js';
import { requestBody } from '../request-body.js';
import { serverDetails } from '../server-details.js';
import { settingsFrom, withSettingOptions, type SettingOptions } from '../server-settings.js';
import { invocation, verb, type Context } from '../verb.js';
import { tellNext } from './server-add.js';

interface SetOptions extends SettingOptions {
  url?: string;
}

/** What a probe does not look at. */
const UNSEEN = new Set(['signCalls', 'forwardHeaders']);

/** `gatehouse server set`: changes what is named, and looks at the server anew where that matters. */
export function addServerSet(server: Command, context: Context): void {
  const command = verb(server, 'set <name>', 'Change a server; what is not named stays', 'gatehouse server set github --oauth-client-id 0a1b --oauth-client-secret-file github.secret');
  withSettingOptions(command.option('--url <url>', 'another address'))
    .option('--no-header', 'without plain headers')
    .option('--no-stateless', 'it takes GET and DELETE too')
    .option('--no-sign-calls', 'calls carry no statement')
    .option('--no-forward-header', 'no header of clients goes up')
    .option('--no-ca-file', 'trust the well-known authorities alone')
    .option('--no-allow-private-network', 'it must be on a public address')
    .action((name: string, options: SetOptions) => set(context, name, options));
}

async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  const held = await context.api.ask({ path: `/servers${path(name)}`, answer: serverContracts.server });
  const settings = { ...(options.url === undefined ? {} : { url: options.url }), ...(await settingsFrom(options, context.surroundings, held)) };
  if (Object.keys(settings).length === 0) throw usageFailure('what is to change?', 'gatehouse server set --help');
  const body = requestBody(api.serverChange, settings);
  const changed = await context.api.ask({ method: 'PATCH', path: `/servers${path(name)}`, body, ifMatch: held.revision, answer: serverContracts.server });
  const isOther = changed.revision !== held.revision && Object.keys(settings).some((member) => !UNSEEN.has(member));
  const isLooked = changed.state === 'running' && (isOther || bringsValues(body.auth));
  const server = isLooked ? await afterProbeWith(context.api, name, held.health.checkedAt, body.auth) : changed;
  invocation(context, options).answer(server, () => serverDetails(context.surroundings, server));
  if (isLooked) await tellNext(context, server, options);
}
