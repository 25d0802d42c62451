import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { exchange, type Reach } from '../browser/http-exchange.js';

/** Parameters of one request: undefined leaves one out, several values send it several times. */
export type OAuthParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A PKCE pair (RFC 7636). */
export interface PkcePair {
  verifier: string;
  challenge: string;
  method: 'S256';
}

/** One answer of an endpoint, unjudged. */
export interface OAuthAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body when it is a JSON object, else empty. */
  json: JsonObject;
}

/** Whom the client talks to and as whom. */
export interface PublicClientOptions {
  /** The authorization server's issuer; endpoints are its `/authorize`, `/token`, `/register`, `/revoke`. */
  issuer: string;
  clientId: string;
  redirectUri: string;
  /** RFC 8707; sent on authorize, code and refresh when given. */
  resource?: string;
  scope?: string;
  /** Sent as HTTP Basic to the token and revocation endpoints when given. */
  secret?: string;
  /** PEM of the authority that https servers of the test are signed by. */
  ca?: string;
  /** The origin to really connect to for an origin. */
  resolve?: (origin: string) => string | undefined;
}

const TIMEOUT_MS = 10_000;

/** A new PKCE pair. */
export function pkcePair(): PkcePair {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url'), method: 'S256' };
}

/** The query of a callback URL by name. */
export function callbackParameters(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams);
}

/**
 * An OAuth client with no opinion: right requests by default, every parameter replaceable by a wrong
 * one, no check of any answer. Only for tests.
 */
export class PublicClient {
  readonly pkce = pkcePair();
  readonly state = randomBytes(16).toString('base64url');
  private readonly reach: Reach;

  constructor(readonly options: PublicClientOptions) {
    this.reach = { ca: options.ca, resolve: options.resolve, timeoutMs: TIMEOUT_MS };
  }

  /** An authorization request with this client's PKCE challenge and state. */
  authorizeUrl(overrides: OAuthParameters = {}): string {
    const { clientId, redirectUri, resource, scope, issuer } = this.options;
    const { challenge, method } = this.pkce;
    const honest = { response_type: 'code', client_id: clientId, redirect_uri: redirectUri, code_challenge: challenge, code_challenge_method: method };
    return `${issuer}/authorize?${encoded({ ...honest, state: this.state, scope, resource, ...overrides })}`;
  }

  /** Redeems a code with this client's verifier. */
  exchange(code: string | undefined, overrides: OAuthParameters = {}): Promise<OAuthAnswer> {
    const { clientId, redirectUri, resource } = this.options;
    const honest = { code, client_id: clientId, redirect_uri: redirectUri, code_verifier: this.pkce.verifier, resource };
    return this.token({ grant_type: 'authorization_code', ...honest, ...overrides });
  }

  /** Redeems a refresh token. */
  refresh(refreshToken: string | undefined, overrides: OAuthParameters = {}): Promise<OAuthAnswer> {
    const { clientId, resource } = this.options;
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId, resource, ...overrides });
  }

  /** Any request to the token endpoint. */
  token(parameters: OAuthParameters, headers: Record<string, string> = {}): Promise<OAuthAnswer> {
    return this.postForm('/token', parameters, headers);
  }

  /** Asks for a token to be revoked (RFC 7009). */
  revoke(token: string, overrides: OAuthParameters = {}): Promise<OAuthAnswer> {
    return this.postForm('/revoke', { token, client_id: this.options.clientId, ...overrides }, {});
  }

  /** Registers a client (RFC 7591): an object is sent as JSON, a string as it is. */
  register(body: JsonObject | string, headers: Record<string, string> = {}): Promise<OAuthAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.send('POST', '/register', { 'content-type': 'application/json', ...headers }, text);
  }

  /** A GET of a path of the issuer, e.g. its metadata. */
  get(path: string, headers: Record<string, string> = {}): Promise<OAuthAnswer> {
    return this.send('GET', path, headers, undefined);
  }

  private postForm(path: string, parameters: OAuthParameters, headers: Record<string, string>): Promise<OAuthAnswer> {
    const { clientId, secret } = this.options;
    const authorization = secret === undefined ? {} : { authorization: basic(clientId, secret) };
    return this.send('POST', path, { 'content-type': 'application/x-www-form-urlencoded', ...authorization, ...headers }, encoded(parameters));
  }

  private async send(method: string, path: string, headers: Record<string, string>, body: string | undefined): Promise<OAuthAnswer> {
    const received = await exchange({ url: new URL(`${this.options.issuer}${path}`), method, headers, body }, this.reach);
    return { status: received.status, headers: received.headers, text: received.body, json: objectOf(received.body) };
  }
}

function encoded(parameters: OAuthParameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'string' ? [value] : value) query.append(name, one);
  }
  return query.toString();
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}

function objectOf(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : {};
  } catch {
    // An answer that is not JSON is looked at as text.
    return {};
  }
}
