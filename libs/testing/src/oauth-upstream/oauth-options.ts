import type { TestAuthority } from '../tls/test-authority.js';

/** A client that the authorization server knows beforehand. */
export interface KnownClient {
  clientId: string;
  /** Asked for at the token endpoint; a public client without. */
  clientSecret?: string;
  /** PEM (SPKI) that verifies its `private_key_jwt` assertions (RFC 7523 section 2.2). */
  publicKey?: string;
  /** The only addresses it may be sent back to; any unless told. */
  redirectUris?: readonly string[];
}

/** Who a token of somebody else's is for; throws when it is not to be believed. */
export type Trust = (token: string) => Promise<string>;

/** What happens at the token endpoint around one answer. */
export type TokenHook = (moment: 'decided' | 'answered', grantType: string) => void | Promise<void>;

/** How the protected server and its authorization server behave. Everything can be changed while they run. */
export interface OauthBehaviour {
  /** Who is signed in at the authorization server and agrees. */
  user: string;
  consent: 'given' | 'denied' | 'error-page';

  /** Where the protected resource metadata (RFC 9728) is: in the challenge's address (and nowhere else), at the well-known path, at the root, or broken. */
  prm: 'header' | 'path' | 'root' | 'none' | 'error-500' | 'html' | 'foreign';
  /** Members over those of the metadata: another `resource`, other `authorization_servers`. */
  prmMembers: Readonly<Record<string, unknown>>;
  /** What the challenge names in place of the metadata's true address. */
  challengedPrm: string | null;
  /** `plain` names the metadata; `spoofed` has a false address inside another parameter before the true one. */
  challenge: 'plain' | 'bare' | 'two-schemes' | 'spoofed';
  /** `calls`: everything but `tools/call` is open. */
  guards: 'everything' | 'calls';
  /** A tool that needs a scope more: refused with 403 `insufficient_scope` (RFC 6750 section 3.1). */
  stepUp: { tool: string; scope: string } | null;
  /** Scopes in the challenge and in the metadata. */
  scopes: readonly string[];

  /** `server`: the authorization server is at the origin of the MCP server itself. */
  authorizationServer: 'separate' | 'server';
  /** Where and how its metadata is served; `-path` and `-append` ones have an issuer with a path. */
  metadata: 'oauth' | 'openid' | 'oauth-path' | 'oauth-append' | 'openid-append' | 'slash' | 'mismatch' | 'html-then-openid' | 'html' | 'none' | 'error-500';
  /** Members over those of its metadata; undefined ones are left out. */
  metadataMembers: Readonly<Record<string, unknown>>;
  /** `nulls`: null and empty members, expiry as text. `gated`: 403 with a sentence of its own. */
  registration: 'none' | 'dynamic' | 'status-200' | 'nulls' | 'refused' | 'gated' | 'html';
  /** Members over those of a registration's answer. */
  registrationMembers: Readonly<Record<string, unknown>>;
  /** Seconds that a registered client's secret lives; 0 for ever. */
  clientSecretSeconds: number;
  /**
   * Client ID metadata documents: `fetched` reads them, `accepted` takes any address; the others say
   * they do and then refuse: with a page, at the callback, at the token endpoint.
   */
  documents: 'none' | 'fetched' | 'accepted' | 'refused-page' | 'refused-callback' | 'refused-token';
  clients: readonly KnownClient[];
  /** `silent`: works and is not in the metadata. `absent`: it knows nothing of it. */
  pkce: 'advertised' | 'silent' | 'absent';
  /** The callback's `iss` (RFC 9207); `promised-missing`: in the metadata, not in the callback. */
  iss: 'right' | 'missing' | 'wrong' | 'promised-missing';
  /** Resource indicators (RFC 8707): `checked` when given, `required`, or `refused` when given. */
  resource: 'checked' | 'required' | 'refused' | 'ignored';
  /** Authorization requests must be pushed (RFC 9126). */
  pushed: boolean;
  /** Name of the scope parameter at the authorize address. */
  scopeParam: string;

  tokenAnswer:
    | 'standard'
    | 'status-201'
    | 'form'
    | 'error-200'
    | 'ok-false'
    | 'nested'
    | 'expires-text'
    | 'expires-null'
    | 'no-expiry'
    | 'no-token-type'
    | 'odd-token-type'
    | 'scope-array'
    | 'comma-scopes'
    | 'broken-id-token'
    | 'html'
    | 'forbidden-json';
  accessTokenSeconds: number;
  /** Whether there are refresh tokens, and what becomes of a used one: with `strict` its second use ends the grant. */
  rotation: 'no-refresh-token' | 'none' | 'strict' | 'grace';
  /** What refreshing comes to; `answer-lost` rotates and cuts the connection. */
  refresh: 'ok' | 'invalid_grant' | 'invalid_request' | 'invalid_client' | 'error-500' | 'too-many' | 'html' | 'hang' | 'cut' | 'answer-lost';
  /** Waited before every answer of the token endpoint. */
  tokenDelayMs: number;
  tokenHook: TokenHook | null;
  /**
   * Tokens bound to a key (RFC 9449), asked for by both metadata and the challenge. `offered`: who shows a proof
   * gets one; `required`: no others; `answered-bearer`: offered, and bearer tokens come all the same.
   */
  dpop: 'none' | 'offered' | 'required' | 'answered-bearer';
  /** Where proofs must hold a nonce that was given (RFC 9449 sections 8 and 9); `ever-new`: none that was given is good any more. */
  dpopNonce: 'nowhere' | 'everywhere' | 'ever-new';
  /** Who the subject of a token exchange (RFC 8693) or an assertion (RFC 7523) is; nobody is believed unless told. */
  trust: Trust | null;
}

/** How a protected server is set up. */
export interface OauthUpstreamOptions extends Partial<OauthBehaviour> {
  /** Serves https with certificates of this authority. */
  authority?: TestAuthority;
  /** The name in every address, to be resolved to 127.0.0.1 by the caller; `127.0.0.1` unless told. */
  hostname?: string;
}

/** The behaviour nobody has to say: everything as the specifications want it. */
export const OBEDIENT: OauthBehaviour = {
  user: 'alice',
  consent: 'given',
  prm: 'header',
  prmMembers: {},
  challengedPrm: null,
  challenge: 'plain',
  guards: 'everything',
  stepUp: null,
  scopes: [],
  authorizationServer: 'separate',
  metadata: 'oauth',
  metadataMembers: {},
  registration: 'dynamic',
  registrationMembers: {},
  clientSecretSeconds: 0,
  documents: 'none',
  clients: [],
  pkce: 'advertised',
  iss: 'right',
  resource: 'checked',
  pushed: false,
  scopeParam: 'scope',
  tokenAnswer: 'standard',
  accessTokenSeconds: 3_600,
  rotation: 'strict',
  refresh: 'ok',
  tokenDelayMs: 0,
  tokenHook: null,
  dpop: 'none',
  dpopNonce: 'nowhere',
  trust: null,
};
