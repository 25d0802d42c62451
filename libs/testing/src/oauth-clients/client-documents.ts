import type { JsonObject } from '@gatehouse/kernel';
import { CLIENT_KEYS_PATH } from './client-metadata-host.js';

/** One client that people use, with the ways in which it makes itself known. */
export interface RealClient {
  name: string;
  /** Its Client ID Metadata Document and where it lies; undefined for a client that publishes none. */
  document: { path: string; clientId: string; body: JsonObject } | undefined;
  /** The body that it posts to a registration endpoint (RFC 7591). */
  registration: JsonObject;
  /** Where it asks to be called back: not always spelled as in the document. */
  redirectUri: string;
}

const CODE_AND_REFRESH = ['authorization_code', 'refresh_token'];
/** A port that the system gave to the client for one sign-in. */
const EPHEMERAL = 'http://localhost:51763';

/**
 * Claude on the web. Reconstructed: the document as it is quoted in public code (September 2026) and
 * reports (anthropics/claude-ai-mcp#518); no `application_type`, a grant beside the usual two.
 */
export function claude(origin: string): RealClient {
  const redirectUri = 'https://claude.ai/api/mcp/auth_callback';
  const grants = [...CODE_AND_REFRESH, 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
  const document = documentAt(origin, '/oauth/mcp-oauth-client-metadata', {
    client_name: 'Claude',
    client_uri: origin,
    redirect_uris: [redirectUri],
    grant_types: grants,
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
  return { name: 'Claude', document, registration: registrationOf('Claude', [redirectUri]), redirectUri };
}

/**
 * Claude Code. Reconstructed from anthropics/claude-code#64705, #42301 and #37747: loopback redirects
 * without a port and no `application_type`, called back on a port of its own.
 */
export function claudeCode(origin: string): RealClient {
  const redirectUri = `${EPHEMERAL}/callback`;
  const document = documentAt(origin, '/oauth/claude-code-client-metadata', {
    client_name: 'Claude Code',
    client_uri: origin,
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: CODE_AND_REFRESH,
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
  return { name: 'Claude Code', document, registration: registrationOf('Claude Code (gatehouse)', [redirectUri]), redirectUri };
}

/**
 * ChatGPT. Reconstructed from django-oauth/django-oauth-toolkit#1857 and stacklok/toolhive#6186: no
 * `scope`; prefers `private_key_jwt` and can do without. The keys are those of the metadata host.
 */
export function chatGpt(origin: string): RealClient {
  const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect';
  const document = documentAt(origin, '/oauth/client.json', {
    client_uri: `${origin}/`,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    grant_types: CODE_AND_REFRESH,
    response_types: ['code'],
    client_name: 'ChatGPT',
    token_endpoint_auth_signing_alg: 'RS256',
    jwks_uri: `${origin}${CLIENT_KEYS_PATH}`,
  });
  return { name: 'ChatGPT', document, registration: registrationOf('ChatGPT', [redirectUri]), redirectUri };
}

/**
 * Visual Studio Code. Reconstructed from tableau/tableau-mcp#199 and stacklok/toolhive#6290: the
 * device grant among the grant types, one loopback redirect and one https redirect in a native client.
 */
export function visualStudioCode(origin: string): RealClient {
  const redirectUri = 'http://127.0.0.1:33418/';
  const members = {
    client_name: 'Visual Studio Code',
    grant_types: [...CODE_AND_REFRESH, 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    client_uri: `${origin}/product`,
    redirect_uris: [redirectUri, 'https://vscode.dev/redirect'],
  };
  const document = documentAt(origin, '/oauth/client-metadata.json', members);
  return { name: 'Visual Studio Code', document, registration: members, redirectUri };
}

/**
 * Cursor, which publishes no document. Reconstructed from erp-mafia/accounted#2225 and
 * soflyy/agent-connector-for-wp#111: one registration with an app scheme, an https and a loopback redirect.
 */
export function cursor(): RealClient {
  const redirectUri = 'cursor://anysphere.cursor-mcp/oauth/callback';
  const others = ['https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback'];
  return { name: 'Cursor', document: undefined, registration: registrationOf('Cursor', [redirectUri, ...others]), redirectUri };
}

/**
 * A client on the first official TypeScript SDK that says as little as it can: no grant types, no
 * authentication method. Reconstructed from runs of the SDK against an authorization server.
 */
export function sdkDefaults(): RealClient {
  const redirectUri = `${EPHEMERAL}/callback`;
  return { name: 'SDK defaults', document: undefined, registration: { client_name: 'An agent', redirect_uris: [redirectUri] }, redirectUri };
}

/** All of them; documents belong at their paths on the metadata host with this origin. */
export function realClients(origin: string): readonly RealClient[] {
  return [claude(origin), claudeCode(origin), chatGpt(origin), visualStudioCode(origin), cursor(), sdkDefaults()];
}

function documentAt(origin: string, path: string, members: JsonObject): RealClient['document'] {
  const clientId = `${origin}${path}`;
  return { path, clientId, body: { client_id: clientId, ...members } };
}

function registrationOf(name: string, redirectUris: string[]): JsonObject {
  return {
    client_name: name,
    redirect_uris: redirectUris,
    grant_types: CODE_AND_REFRESH,
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}
