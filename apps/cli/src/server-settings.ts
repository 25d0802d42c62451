import { api, serverContracts, upstreamContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { usageFailure } from './failure.js';
import { plainHeaders, secretHeaders, withHeaderOptions, type HeaderOptions } from './header-options.js';
import { oauthFrom, withOauthOptions, type OauthOptions } from './oauth-options.js';
import type { Format } from './output/print.js';
import { namedText } from './secret-source.js';
import type { Surroundings } from './surroundings.js';
import { each } from './verb.js';

/** What `server add` and `server set` both take. */
export interface SettingOptions extends HeaderOptions, OauthOptions {
  transport?: string;
  auth?: string;
  identityMode?: string;
  stateless?: boolean;
  allowPrivateNetwork?: boolean;
  caFile?: string | false;
  signCalls?: boolean;
  forwardHeader?: string[] | false;
  browser?: boolean;
  output?: Format;
}

/** The mode that follows from what the server turns out to want. */
const FOUND = 'auto';

/** Adds them. */
export function withSettingOptions(command: Command): Command {
  command
    .addOption(new Option('--transport <transport>', 'how to talk to it').choices(api.serverBody.shape.transport.unwrap().options))
    .addOption(new Option('--auth <kind>', 'how to sign in there (default: found out by looking)').choices(['auto', 'none', 'oauth']));
  withOauthOptions(withHeaderOptions(command));
  return command
    .addOption(new Option('--identity-mode <mode>', 'whose credential calls carry; auto follows from how the server is signed in to').choices([FOUND, ...upstreamContracts.identityMode.options]))
    .option('--stateless', 'it takes POST only: GET, HEAD and DELETE are answered here')
    .option('--sign-calls', 'every call carries a signed statement of who calls, which the server can demand')
    .option('--forward-header <name>', 'header of the client that goes up as it came (repeatable)', each)
    .option('--ca-file <file>', 'PEM certificates to trust for this server alone (- is standard input)')
    .option('--allow-private-network', 'the server is in a private network or on this machine')
    .option('--no-browser', 'print the address to connect an account at, and open nothing');
}

/** The members of a body that the options say; what is not said is left out. */
export async function settingsFrom(options: SettingOptions, surroundings: Surroundings, held?: serverContracts.Server): Promise<Record<string, unknown>> {
  const settings = {
    transport: options.transport,
    stateless: options.stateless,
    allowPrivateNetwork: options.allowPrivateNetwork,
    signCalls: options.signCalls,
    forwardHeaders: options.forwardHeader === false ? [] : options.forwardHeader,
    identityMode: options.identityMode === FOUND ? null : options.identityMode,
    caCertificate: await certificates(options, surroundings),
    headers: options.header === undefined ? undefined : plainHeaders(options),
    auth: await authFrom(options, surroundings, held),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

async function certificates({ caFile }: SettingOptions, surroundings: Surroundings): Promise<string | null | undefined> {
  if (caFile === undefined || caFile === false) return caFile === undefined ? undefined : null;
  return namedText(caFile, surroundings);
}

/** One option of OAuth is enough to say so; what a server has of its settings stays under those that are given. */
async function authFrom(options: SettingOptions, surroundings: Surroundings, held: serverContracts.Server | undefined): Promise<object | undefined> {
  const oauth = await oauthFrom(options, surroundings);
  const headers = await secretHeaders(options, surroundings);
  const kinds = [oauth === undefined ? undefined : 'oauth', headers.length === 0 ? undefined : 'headers', options.auth].filter((kind) => kind !== undefined);
  if (new Set(kinds).size > 1) throw usageFailure(`a server is signed in to in one way: ${[...new Set(kinds)].join(' and ')} are two`);
  const [kind] = kinds;
  if (kind === undefined) return undefined;
  if (kind === 'headers') return { kind, headers };
  return kind === 'oauth' ? { kind, ...held?.oauth, ...oauth } : { kind };
}
