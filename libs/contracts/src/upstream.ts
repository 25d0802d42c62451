import { z } from 'zod';
import { displayText, serverId, serverName } from './names.js';

/** Names of headers may be any RFC 9110 token; which are refused is decided where they are set. */
export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/);

/** Whose credential a server's calls carry (glossary: identity mode). */
export const identityMode = z.enum(['private-required', 'global', 'private-or-global', 'none']);

/** Whose credential a server's calls carry. */
export type IdentityMode = z.infer<typeof identityMode>;

/** How a server's credentials come about; `auto` is what the first probe finds. */
export const serverAuth = z.enum(['auto', 'none', 'headers', 'oauth']);

const foreignUrl = z.url({ protocol: /^https?$/ }).max(2_048);
const parameter = z.string().min(1).max(100).regex(/^[\x21-\x7e]+$/);
const parameters = z.record(parameter, z.string().max(2_048)).refine((given) => Object.keys(given).length <= 20, 'at most 20');
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/);

/** Where the members of a token answer stand when not where RFC 6749 section 5.1 puts them: `authed_user.access_token`. */
const tokenPaths = z.strictObject({
  accessToken: z.string().max(200).optional(),
  refreshToken: z.string().max(200).optional(),
  expiresIn: z.string().max(200).optional(),
  scope: z.string().max(200).optional(),
});

/**
 * A resource indicator (RFC 8707 section 2): an absolute address without fragment. Nothing is
 * normalised: the authorization server compares the text.
 */
export const resourceIndicator = z
  .string()
  .max(2_048)
  .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^/?#]+[^#]*$/, 'an absolute address with scheme and host, without fragment')
  .refine((text) => URL.canParse(text), 'an absolute address with scheme and host, without fragment');

/**
 * How Gatehouse gets tokens for a server: what an administrator sets, and what a preset of the server's
 * host brings. What neither says is discovered, or decided as the specification asks. Nothing secret.
 */
export const upstreamOauth = z.strictObject({
  /** `authorization_code`: people connect an account. The others need nobody: their identity is global, or made per person from the sign-in. */
  grant: z.enum(['authorization_code', 'client_credentials', 'token_exchange', 'id_jag']).optional(),
  /** A client registered beforehand; its secret or key is in the vault. */
  clientId: z.string().min(1).max(512).regex(/^[\x20-\x7e]+$/).optional(),
  clientAuthMethod: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']).optional(),
  /** How to come by a client where none was registered beforehand; `auto` tries the metadata document, then registers. */
  registration: z.enum(['auto', 'document', 'dynamic']).optional(),
  issuer: foreignUrl.optional(),
  authorizeUrl: foreignUrl.optional(),
  tokenUrl: foreignUrl.optional(),
  scopes: z.array(scope).max(100).optional(),
  /** Name of the parameter that carries the scopes at the authorize address. */
  scopeParam: parameter.optional(),
  resource: z.union([z.literal('send'), z.literal('omit'), resourceIndicator]).optional(),
  authorizeParams: parameters.optional(),
  tokenParams: parameters.optional(),
  /** The name the authorization server's metadata gives itself, where it is not the one the server told. */
  issuerAlias: foreignUrl.optional(),
  /** S256 works although the metadata does not say so. */
  assumePkce: z.boolean().optional(),
  /** A `resource` of the server's metadata that is accepted although it does not fit the server's address. */
  allowResource: resourceIndicator.optional(),
  tokenPaths: tokenPaths.optional(),
  /** Words of the token endpoint for errors of RFC 6749 section 5.2: `{"bad_refresh_token": "invalid_grant"}`. */
  errorMap: z.record(z.string().max(100), z.string().max(100)).optional(),
  /** Whether a refresh repeats the scopes. */
  refreshScope: z.boolean().optional(),
  /** RFC 8693 `audience`, and the one asked for with an ID-JAG; the issuer unless set. */
  audience: z.string().min(1).max(2_048).optional(),
  /** What is exchanged for a token: an assertion that Gatehouse signs, or the token of the person's sign-in. */
  subjectToken: z.enum(['gatehouse', 'identity-provider']).optional(),
  /** Longest wait for one answer of the authorization server. */
  timeoutMs: z.int().min(1_000).max(25_000).optional(),
});

/** How Gatehouse gets tokens for a server. */
export type UpstreamOauth = z.infer<typeof upstreamOauth>;

/** One hop of finding out how a server wants to be signed in to, for people. */
export const authStep = z.strictObject({
  step: z.enum(['request', 'resource_metadata', 'authorization_server', 'registration', 'sign_in']),
  outcome: z.enum(['ok', 'failed', 'skipped']),
  url: z.string().max(2_048).nullable(),
  /** One sentence of ours; of the other side's words at most a short printable error text. */
  detail: z.string().max(500),
});

/** One hop of finding out how a server wants to be signed in to. */
export type AuthStep = z.infer<typeof authStep>;

/** What a server needs before its calls can succeed. */
export const authVerdict = z.enum([
  /** Nothing. */
  'open',
  /** Accounts can be connected. */
  'sign_in',
  /** A client registered beforehand: its id and secret, made with our callback address. */
  'client',
  /** A token or header of one's own. */
  'header',
  /** Something broke on the way; the last step says what. */
  'failed',
]);

/** What a server needs before its calls can succeed. */
export type AuthVerdict = z.infer<typeof authVerdict>;

/** What is known of a provider, by the hosts of its servers: settings that an administrator need not find out. */
export const preset = z.strictObject({
  name: serverName,
  title: displayText(100),
  /** Hosts of servers it is for: `api.example.com`, or `*.example.com` for every name below. */
  hosts: z.array(z.string().max(253).regex(/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/)).min(1).max(50),
  oauth: upstreamOauth,
  /** The header that carries a token of one's own, and what stands before it: `Bearer `. */
  header: z.strictObject({ name: headerName, prefix: z.string().max(50).regex(/^[\x20-\x7e]*$/) }).nullable(),
  /** Where the provider tells how to make a client or a token. */
  documentation: foreignUrl.nullable(),
  /** One or two sentences for people: what to mind in the provider's settings. */
  notes: displayText(500).nullable(),
});

/** What is known of a provider. */
export type Preset = z.infer<typeof preset>;

/** A server as auth needs to know it to sign in there. */
export const upstreamServer = z.strictObject({
  id: serverId,
  name: serverName,
  url: z.string(),
  allowPrivateNetwork: z.boolean(),
  caCertificate: z.string().nullable(),
  state: z.enum(['running', 'stopped']),
  /** What is known, never `auto` once a probe found out. */
  auth: serverAuth,
  identityMode,
  /** Headers that each identity of the server holds, where it is no OAuth. */
  secretHeaders: z.array(headerName),
  /** The preset's and the administrator's settings put together. */
  oauth: upstreamOauth,
  /** The preset that its host has. */
  preset: preset.nullable(),
});

/** A server as auth needs to know it. */
export type UpstreamServer = z.infer<typeof upstreamServer>;
