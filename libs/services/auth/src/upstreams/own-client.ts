import { createHash } from 'node:crypto';
import type { upstreamContracts } from '@gatehouse/contracts';
import type { JsonObject } from '@gatehouse/kernel';

/** Where our client metadata document is, and where all but clients that registered themselves are sent back to. */
export const DOCUMENT_PATH = '/oauth/client.json';

/** See `DOCUMENT_PATH`; below it, a path of its own for each client that registered itself. */
export const CALLBACK_PATH = '/oauth/callback';

/** What Gatehouse says of itself to authorization servers, whichever way it becomes a client. */
export function clientMetadata(publicOrigin: string, redirectUri: string, authMethod: string): JsonObject {
  return {
    client_name: 'Gatehouse',
    // Some refuse an address that is not encrypted.
    ...(publicOrigin.startsWith('https:') ? { client_uri: publicOrigin } : {}),
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: authMethod,
    application_type: isLoopback(publicOrigin) ? 'native' : 'web',
  };
}

const GRANT_TYPES: Readonly<Record<string, string>> = {
  client_credentials: 'client_credentials',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  id_jag: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
};

/** What a client says in place of the code grant that nobody signs in with. */
export function grantMembers(grant: upstreamContracts.UpstreamOauth['grant']): JsonObject {
  const type = GRANT_TYPES[grant ?? ''];
  return type === undefined ? {} : { grant_types: [type], response_types: [] };
}

/** Our client ID metadata document (draft-ietf-oauth-client-id-metadata-document). */
export function ownDocument(publicOrigin: string): { bytes: Buffer; etag: string } {
  const document = { client_id: `${publicOrigin}${DOCUMENT_PATH}`, ...clientMetadata(publicOrigin, `${publicOrigin}${CALLBACK_PATH}`, 'none') };
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

/** Authorization servers fetch documents over https from hosts that they can reach. */
export function canShowDocument(publicOrigin: string): boolean {
  return publicOrigin.startsWith('https://') && !isLoopback(publicOrigin);
}

function isLoopback(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
