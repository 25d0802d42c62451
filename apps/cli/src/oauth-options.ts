import { upstreamContracts } from '@gatehouse/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { durationMs } from './durations.js';
import { nameAndRest } from './header-options.js';
import { namedText, secretFile } from './secret-source.js';
import type { Surroundings } from './surroundings.js';
import { each } from './verb.js';

/** How Gatehouse gets tokens for a server, as the options say it. */
export interface OauthOptions {
  oauthClientId?: string;
  oauthClientSecretFile?: string;
  oauthPrivateKeyFile?: string;
  oauthIssuer?: string;
  oauthAuthorizeUrl?: string;
  oauthTokenUrl?: string;
  oauthScopes?: string;
  oauthScopeParamName?: string;
  oauthResource?: string;
  oauthAuthorizeParam?: string[];
  oauthTokenParam?: string[];
  oauthIssuerAlias?: string;
  oauthAssumePkce?: boolean;
  oauthTimeout?: number;
  oauthGrant?: string;
  oauthRegistration?: string;
  oauthClientAuthMethod?: string;
  oauthAudience?: string;
  oauthSubjectToken?: string;
  oauthAllowResource?: string;
}

/** The members of the settings that an option carries as it is. */
const PLAIN = {
  clientId: 'oauthClientId',
  issuer: 'oauthIssuer',
  authorizeUrl: 'oauthAuthorizeUrl',
  tokenUrl: 'oauthTokenUrl',
  scopeParam: 'oauthScopeParamName',
  resource: 'oauthResource',
  issuerAlias: 'oauthIssuerAlias',
  assumePkce: 'oauthAssumePkce',
  timeoutMs: 'oauthTimeout',
  grant: 'oauthGrant',
  registration: 'oauthRegistration',
  clientAuthMethod: 'oauthClientAuthMethod',
  audience: 'oauthAudience',
  subjectToken: 'oauthSubjectToken',
  allowResource: 'oauthAllowResource',
} as const satisfies Partial<Record<keyof upstreamContracts.UpstreamOauth, keyof OauthOptions>>;

/** Adds the options of OAuth towards a server. */
export function withOauthOptions(command: Command): Command {
  const { grant, registration, clientAuthMethod, subjectToken } = upstreamContracts.upstreamOauth.shape;
  return command
    .option('--oauth-client-id <id>', 'id of a client that you registered at the provider')
    .option('--oauth-client-secret-file <file>', 'file with its secret; - for standard input')
    .option('--oauth-private-key-file <file>', 'file with its private key (PEM), in place of a secret; - for standard input')
    .option('--oauth-issuer <url>', 'its authorization server (default: the one the server names)')
    .option('--oauth-authorize-url <url>', 'where people sign in (default: from the metadata)')
    .option('--oauth-token-url <url>', 'where tokens come from (default: from the metadata)')
    .option('--oauth-scopes <scopes>', 'scopes to ask for, with commas between')
    .option('--oauth-scope-param-name <name>', 'parameter that carries the scopes (default: scope)')
    .option('--oauth-resource <resource>', 'resource indicator: an address, omit or send')
    .option('--oauth-authorize-param <name=value>', 'more at the authorize address (repeatable)', each)
    .option('--oauth-token-param <name=value>', 'more in token requests (repeatable)', each)
    .option('--oauth-issuer-alias <url>', 'the name that its metadata gives itself, where it is another one')
    .option('--oauth-assume-pkce', 'PKCE works there although the metadata does not say so')
    .option('--oauth-timeout <duration>', 'longest wait for one of its answers, 1s to 25s (default: 10s)', waitingTime)
    .addOption(new Option('--oauth-grant <grant>', 'how tokens come about').choices(grant.unwrap().options))
    .addOption(new Option('--oauth-registration <how>', 'how to come by a client where you registered none').choices(registration.unwrap().options))
    .addOption(new Option('--oauth-client-auth-method <method>', 'how the client proves itself').choices(clientAuthMethod.unwrap().options))
    .option('--oauth-audience <audience>', 'audience to ask for in a token exchange or identity assertion')
    .addOption(new Option('--oauth-subject-token <kind>', 'what is exchanged: an assertion of Gatehouse, or the token of the sign-in').choices(subjectToken.unwrap().options))
    .option('--oauth-allow-resource <url>', "resource of the server's metadata that is accepted although it does not fit its address");
}

/** The members of `auth` that the options say; undefined when none is given. */
export async function oauthFrom(options: OauthOptions, surroundings: Surroundings): Promise<Record<string, unknown> | undefined> {
  const plain = Object.entries(PLAIN).map(([member, option]) => [member, options[option]] as const);
  const members = {
    ...Object.fromEntries(plain),
    scopes: options.oauthScopes?.split(/[,\s]+/).filter((scope) => scope !== ''),
    authorizeParams: parameters(options.oauthAuthorizeParam, '--oauth-authorize-param'),
    tokenParams: parameters(options.oauthTokenParam, '--oauth-token-param'),
    clientSecret: await fromFile(options.oauthClientSecretFile, (file) => secretFile(file, surroundings)),
    privateKey: await fromFile(options.oauthPrivateKeyFile, (file) => namedText(file, surroundings)),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function fromFile(file: string | undefined, read: (file: string) => Promise<string>): Promise<string | undefined> {
  return file === undefined ? Promise.resolve(undefined) : read(file);
}

function parameters(given: string[] | undefined, flag: string): Record<string, string> | undefined {
  return given === undefined ? undefined : Object.fromEntries(given.map((option) => nameAndRest(option, flag)).map(({ name, value }) => [name, value]));
}

function waitingTime(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= 25_000) return ms;
  throw new InvalidArgumentError('A duration from 1s to 25s, for example 20s.');
}
