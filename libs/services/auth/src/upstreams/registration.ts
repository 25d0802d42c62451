import { Refusal, Secret, type Clock, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { ServerMetadata } from 'openid-client';
import { normalised } from './answer-normaliser.js';
import { errorCode, foreignText } from './foreign-text.js';
import { clientMetadata, grantMembers } from './own-client.js';
import { refusalWithin, troubleWords } from './trouble-words.js';
import { upstreamFetch, type Reachability } from './upstream-fetch.js';

/** What a registration works with. */
export interface RegistrationParts {
  outbound: Outbound;
  clock: Clock;
  publicOrigin: string;
}

/** What is registered where. */
export interface RegistrationWish {
  upstream: Reachability;
  metadata: ServerMetadata;
  redirectUri: string;
  /** Those asked for later: some refuse others then (Auth0). */
  scopes: readonly string[];
}

/** A client that was registered. */
export interface RegisteredClient {
  clientId: string;
  authMethod: string;
  secret: Secret | null;
  secretExpiresAt: number | null;
}

/** The authorization server registers nobody, or not us: somebody has to do it by hand. `problem` is a sentence. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused';

  constructor(readonly problem: string) {
    super(problem);
  }
}

const METHODS = ['client_secret_basic', 'client_secret_post', 'none'];
const MAX_ID = 512;

/**
 * Registers Gatehouse as a client (RFC 7591). Nothing is sent but what everybody knows: a member more,
 * and Keycloak says no (auth.md section 5). Rejects with `RegistrationRefused`, or with a `Refusal`
 * for what may pass.
 */
export async function register({ outbound, clock, publicOrigin }: RegistrationParts, wish: RegistrationWish): Promise<RegisteredClient> {
  const { upstream, metadata, redirectUri, scopes } = wish;
  const authMethod = methodFor(metadata, upstream.oauth.clientAuthMethod);
  const body = { ...clientMetadata(publicOrigin, redirectUri, authMethod), ...grantMembers(upstream.oauth.grant), ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }) };
  const answer = await asked(upstream, outbound, { url: metadata.registration_endpoint!, body });
  return registered(answer, authMethod, clock);
}

async function asked(upstream: Reachability, outbound: Outbound, { url, body }: { url: string; body: JsonObject }): Promise<JsonObject> {
  const fetch = normalised(upstreamFetch(outbound, upstream), () => 'registration', upstream.oauth);
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(body) });
    const answer = (await response.json()) as JsonObject;
    if (response.ok) return answer;
    throw new RegistrationRefused(`It does not let clients register themselves: ${theirWords(answer)}.`);
  } catch (error) {
    throw asRefused(error);
  }
}

function theirWords({ error, error_description: description }: JsonObject): string {
  const words = foreignText(description);
  return words === undefined ? `it answered ${errorCode(error) ?? 'no'}` : `it says “${words}”`;
}

// A page, a 403 or a 404 where the endpoint should be: nobody is registered there, today or tomorrow.
function asRefused(error: unknown): unknown {
  const refusal = refusalWithin(error);
  return refusal?.code === 'upstream_invalid' ? new RegistrationRefused(`It does not let clients register themselves: ${troubleWords(refusal)}.`) : error;
}

function methodFor({ token_endpoint_auth_methods_supported: offered }: ServerMetadata, wanted: string | undefined): string {
  if (wanted !== undefined && METHODS.includes(wanted)) return wanted;
  // RFC 8414 section 2: nothing said means client_secret_basic.
  return offered === undefined ? 'client_secret_basic' : (METHODS.find((method) => offered.includes(method)) ?? 'client_secret_basic');
}

function registered(answer: JsonObject, asked: string, clock: Clock): RegisteredClient {
  const { client_id: clientId, client_secret: secret, token_endpoint_auth_method: said } = answer;
  if (typeof clientId !== 'string' || clientId.length > MAX_ID || /[^\x20-\x7e]/.test(clientId)) throw new Refusal('upstream_invalid', { reason: 'client_id' });
  const hasSecret = typeof secret === 'string';
  const authMethod = typeof said === 'string' && METHODS.includes(said) ? said : asked;
  return {
    clientId,
    authMethod: hasSecret ? authMethod : 'none',
    secret: hasSecret && authMethod !== 'none' ? Secret.fromText(secret) : null,
    secretExpiresAt: expiryOf(answer['client_secret_expires_at'], clock),
  };
}

// Seconds since the epoch, also as text; 0 is for ever (RFC 7591 section 3.2.1).
function expiryOf(value: JsonValue | undefined, clock: Clock): number | null {
  const seconds = typeof value === 'string' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0) return null;
  return Math.max(Math.floor(seconds * 1_000), clock.now());
}
