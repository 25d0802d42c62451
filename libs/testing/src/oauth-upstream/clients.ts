import { createPublicKey, randomBytes } from 'node:crypto';
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { OauthError } from './oauth-error.js';
import type { KnownClient, OauthBehaviour } from './oauth-options.js';

/** A client as the authorization server knows it by now. */
export interface Client extends KnownClient {
  how: 'static' | 'dynamic' | 'document';
  authMethod: string;
  jwks?: JSONWebKeySet;
  jwksUri?: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The clients of one authorization server: known beforehand, registered, or described by a document. */
export class Clients {
  private readonly registered = new Map<string, Client>();
  private readonly documents = new Map<string, Client>();
  /** Documents that were fetched, in order. */
  readonly fetched: string[] = [];

  constructor(private readonly behaviour: OauthBehaviour) {}

  /** Secrets of registered clients, for those who look for leaks. */
  secrets(): string[] {
    return [...this.registered.values()].flatMap(({ clientSecret }) => (clientSecret === undefined ? [] : [clientSecret]));
  }

  /** A client that registered itself (RFC 7591). */
  register(asked: Record<string, unknown>): Client {
    const authMethod = typeof asked['token_endpoint_auth_method'] === 'string' ? asked['token_endpoint_auth_method'] : 'client_secret_basic';
    const redirectUris = asked['redirect_uris'];
    if (!Array.isArray(redirectUris) || redirectUris.length === 0) throw new OauthError('invalid_redirect_uri', 'redirect_uris are needed');
    const withSecret = authMethod.startsWith('client_secret') ? { clientSecret: `cs_${randomBytes(24).toString('base64url')}` } : {};
    const client: Client = { how: 'dynamic', clientId: `dcr_${randomBytes(8).toString('hex')}`, authMethod, redirectUris: redirectUris.map(String), ...withSecret };
    this.registered.set(client.clientId, client);
    return client;
  }

  /** Forgets those that registered themselves, as providers do after a while. */
  forget(): void {
    this.registered.clear();
  }

  /** The client of that id; undefined for nobody. */
  async find(clientId: string): Promise<Client | undefined> {
    const known = this.behaviour.clients.find((each) => each.clientId === clientId);
    if (known !== undefined) return { how: 'static', authMethod: methodOf(known), ...known };
    return this.registered.get(clientId) ?? (await this.fromDocument(clientId));
  }

  /** The client that a request to the token endpoint proves to be from. */
  async authenticate(form: URLSearchParams, authorization: string | undefined, audience: string[]): Promise<Client> {
    const basic = basicOf(authorization);
    const clientId = namedClient(form, basic);
    const client = await this.find(clientId);
    if (client === undefined) throw new OauthError('invalid_client', 'no such client', 401);
    if (client.how === 'document' && this.behaviour.documents === 'refused-token') throw new OauthError('invalid_client', 'documents are not read here', 401);
    if (client.authMethod === 'private_key_jwt') await proves(client, form, audience);
    else if (client.clientSecret !== undefined) checkSecret(client, basic?.[1], form.get('client_secret'));
    else if (basic !== undefined) throw new OauthError('invalid_client', 'a public client sends no Basic', 401);
    return client;
  }

  private async fromDocument(clientId: string): Promise<Client | undefined> {
    const { documents } = this.behaviour;
    if (documents === 'none' || !/^https?:/.test(clientId)) return undefined;
    if (documents !== 'fetched') return { how: 'document', clientId, authMethod: 'none' };
    const known = this.documents.get(clientId) ?? (await this.read(clientId));
    this.documents.set(clientId, known);
    return known;
  }

  private async read(clientId: string): Promise<Client> {
    this.fetched.push(clientId);
    const answer = await fetch(clientId, { redirect: 'error', signal: AbortSignal.timeout(5_000) });
    const document = (await answer.json()) as Record<string, any>;
    if (!answer.ok || document['client_id'] !== clientId) throw new OauthError('invalid_client', 'the document is not about this client', 401);
    return {
      how: 'document',
      clientId,
      redirectUris: document['redirect_uris'],
      authMethod: document['token_endpoint_auth_method'] ?? 'none',
      ...(document['jwks'] === undefined ? {} : { jwks: document['jwks'] }),
      ...(document['jwks_uri'] === undefined ? {} : { jwksUri: document['jwks_uri'] }),
    };
  }
}

function namedClient(form: URLSearchParams, basic: readonly string[] | undefined): string {
  const assertion = form.get('client_assertion');
  const named = basic?.[0] ?? form.get('client_id');
  return named ?? (assertion === null ? '' : String(decodeJwt(assertion).iss));
}

function methodOf({ clientSecret, publicKey }: KnownClient): string {
  if (publicKey !== undefined) return 'private_key_jwt';
  return clientSecret === undefined ? 'none' : 'client_secret_basic';
}

function basicOf(authorization: string | undefined): [id: string, secret: string] | undefined {
  const coded = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1];
  if (coded === undefined) return undefined;
  const [id = '', secret = ''] = Buffer.from(coded, 'base64').toString('utf8').split(':');
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function checkSecret(client: Client, basic: string | undefined, post: string | null): void {
  if (basic !== undefined && post !== null) throw new OauthError('invalid_request', 'one way to authenticate at a time');
  if ((basic ?? post) !== client.clientSecret) throw new OauthError('invalid_client', 'wrong client secret', 401);
}

/** RFC 7523 section 3: by its own key, about itself, for this endpoint. */
async function proves(client: Client, form: URLSearchParams, audience: string[]): Promise<JWTPayload> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) throw new OauthError('invalid_client', 'an assertion is needed', 401);
  const checks = { issuer: client.clientId, subject: client.clientId, audience, requiredClaims: ['exp', 'jti'] };
  try {
    const assertion = form.get('client_assertion') ?? '';
    const verified = client.publicKey === undefined ? await jwtVerify(assertion, keysOf(client), checks) : await jwtVerify(assertion, createPublicKey(client.publicKey), checks);
    return verified.payload;
  } catch (error) {
    throw new OauthError('invalid_client', `the assertion is not good: ${String(error)}`, 401);
  }
}

function keysOf({ jwks, jwksUri }: Client): JWTVerifyGetKey {
  return jwksUri === undefined ? createLocalJWKSet(jwks ?? { keys: [] }) : createRemoteJWKSet(new URL(jwksUri));
}
