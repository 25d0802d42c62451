import { randomBytes } from 'node:crypto';
import { accessContracts, clientContracts } from '@gatehouse/contracts';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { errors, type ClientMetadata } from 'oidc-provider';
import type { z } from 'zod';
import { normalizeClient } from '../authorization-server/client-metadata.js';
import { keptSecret } from '../authorization-server/client-secrets.js';
import { publicJwks } from '../service-accounts/client-jwks.js';
import { sealToEdge } from '../tokens/seal-to-edge.js';
import { CLIENT_SECRET_PREFIX, newSecretText } from '../tokens/token-text.js';
import type { KeptMetadata } from './client-rows.js';

/** What an administrator registers a client with. */
export type NewClient = Omit<z.output<typeof clientContracts.createClient.request>, 'actor'>;

const ID_BYTES = 16;

/** Id of a client that an administrator registers: random, so that knowing one tells nothing of another. */
export function newClientId(): string {
  return `cli_${randomBytes(ID_BYTES).toString('base64url')}`;
}

/**
 * The metadata of a new client, and its secret sealed to the edge, if it has one. Refuses with
 * `bad_request` whatever our authorization server would refuse later, naming the field.
 */
export function newRegisteredClient(id: string, asked: NewClient, redirectSchemes: readonly string[]): { metadata: KeptMetadata; sealedSecret: string | null } {
  refuseContradiction(asked);
  const metadata: ClientMetadata = {
    client_id: id,
    client_name: asked.name,
    redirect_uris: asked.redirectUris,
    grant_types: [...(asked.redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : []), ...asked.specialGrants],
    token_endpoint_auth_method: asked.authMethod,
    ...(asked.requireDpop ? { dpop_bound_access_tokens: true } : {}),
    ...(asked.requirePar ? { require_pushed_authorization_requests: true } : {}),
    ...(asked.jwks === null ? {} : { jwks: publicJwks(asked.jwks as { keys: JsonObject[] }) as never }),
  };
  normalize(metadata, redirectSchemes);
  const { kept, sealedSecret } = asked.authMethod.startsWith('client_secret') ? newSecret(id, asked.edgeKey) : { kept: {}, sealedSecret: null };
  return { metadata: { ...(metadata as object), ...kept }, sealedSecret };
}

function refuseContradiction({ redirectUris, authMethod, jwks, specialGrants, requireDpop }: NewClient): void {
  if ((authMethod === 'private_key_jwt') !== (jwks !== null)) throw bad('jwks', 'belongs to private_key_jwt, and to nothing else');
  if (redirectUris.length === 0 && specialGrants.length === 0) throw bad('redirectUris', 'must not be empty for a client without special grants');
  if (specialGrants.length === 0) return;
  if (authMethod === 'none') throw bad('specialGrants', 'are for clients that prove who they are');
  if (requireDpop) throw bad('requireDpop', 'cannot be combined with special grants');
}

function normalize(metadata: ClientMetadata, redirectSchemes: readonly string[]): void {
  try {
    normalizeClient(metadata, { selfService: false, redirectSchemes });
  } catch (error) {
    if (error instanceof errors.OIDCProviderError) throw bad('redirectUris', error.error_description ?? error.error);
    throw error;
  }
}

function newSecret(id: string, edgeKey: string): { kept: { client_secret: string }; sealedSecret: string } {
  const secret = newSecretText(CLIENT_SECRET_PREFIX);
  try {
    return { kept: { client_secret: keptSecret(secret.toString('ascii')) }, sealedSecret: sealToEdge(edgeKey, secret, accessContracts.clientSecretContext(id)) };
  } finally {
    secret.fill(0);
  }
}

function bad(field: string, problem: string): Refusal {
  return new Refusal('bad_request', { field, problem });
}
