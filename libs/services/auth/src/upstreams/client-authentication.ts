import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal, type Secret } from '@gatehouse/kernel';
import { ClientSecretPost, None, PrivateKeyJwt, type ClientAuth, type CryptoKey, type ServerMetadata } from 'openid-client';
import { importPKCS8 } from 'jose';
import type { UpstreamClient } from './client-rows.js';
import { ClientNeeded } from './upstream-clients.js';
import type { UpstreamSecrets } from './upstream-secrets.js';

/** Whose proof is wanted, and where. */
export interface AuthenticationWish {
  upstream: Pick<upstreamContracts.UpstreamServer, 'id' | 'oauth'>;
  client: UpstreamClient;
  metadata: ServerMetadata;
}

/**
 * How a client proves that it is itself at the token endpoint: as it was registered, or as settings
 * and the stored secret say. Rejects with `ClientNeeded` when something is missing to do it, or as the vault does.
 */
export async function clientAuthentication({ upstream, client, metadata }: AuthenticationWish, secrets: UpstreamSecrets): Promise<ClientAuth> {
  if (client.method !== 'static') return registeredProof(client, secrets);
  const given = await secrets.given(upstream.id);
  const method = upstream.oauth.clientAuthMethod ?? methodFor(given?.kind, metadata);
  if (method === 'none') return None();
  if (given === undefined) throw new ClientNeeded('The secret of the client is not stored yet.');
  const secret = await secrets.lease(given.secretId);
  if (method !== 'private_key_jwt') return secretProof(method, secret);
  return PrivateKeyJwt(await signingKey(secret, metadata));
}

async function registeredProof({ secretId, authMethod }: UpstreamClient, secrets: UpstreamSecrets): Promise<ClientAuth> {
  // A public client that sends Basic is refused by some (Datadog).
  return secretId === null || authMethod === 'none' ? None() : secretProof(authMethod ?? 'client_secret_basic', await secrets.lease(secretId));
}

function secretProof(method: string, secret: Secret): ClientAuth {
  const prove = method === 'client_secret_post' ? ClientSecretPost : basicProof;
  return secret.use((bytes) => prove(bytes.toString('utf8')));
}

/**
 * RFC 6749 section 2.3.1. The library spells `-` and `.` as %2D and %2E as well, and servers that decode
 * nothing take that for another client.
 */
function basicProof(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    const pair = [clientId, secret].map((text) => new URLSearchParams([['', text]]).toString().slice(1)).join(':');
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  };
}

function methodFor(kind: string | undefined, { token_endpoint_auth_methods_supported: offered }: ServerMetadata): string {
  if (kind === 'private_key') return 'private_key_jwt';
  if (kind === undefined) return offered === undefined || offered.includes('none') ? 'none' : 'client_secret_basic';
  return offered === undefined || offered.includes('client_secret_basic') || !offered.includes('client_secret_post') ? 'client_secret_basic' : 'client_secret_post';
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

async function signingKey(pem: Secret, metadata: ServerMetadata): Promise<CryptoKey> {
  const key = readKey(pem);
  const text = key.export({ format: 'pem', type: 'pkcs8' }) as string;
  return (await importPKCS8(text, algorithmOf(key, metadata))) as CryptoKey;
}

function readKey(pem: Secret): KeyObject {
  try {
    return pem.use((bytes) => createPrivateKey(bytes));
  } catch {
    // The parser's words could hold pieces of the key.
    throw new Refusal('bad_request', { problem: 'private_key' });
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, metadata: ServerMetadata): string {
  if (type === 'ed25519') return 'Ed25519';
  if (type === 'ec') return CURVES[details?.namedCurve ?? ''] ?? 'ES256';
  const { token_endpoint_auth_signing_alg_values_supported: offered = ['RS256'] } = metadata;
  return offered.includes('PS256') && !offered.includes('RS256') ? 'PS256' : 'RS256';
}
