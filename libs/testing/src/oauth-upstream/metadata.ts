import type { ServerResponse } from 'node:http';
import type { Arrived } from './listener.js';
import { sendHtml, sendJson } from './oauth-error.js';
import type { OauthBehaviour } from './oauth-options.js';
import type { OauthStage } from './oauth-stage.js';

const PRM = '/.well-known/oauth-protected-resource';
const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';
/** Where the metadata is that only the challenge names. */
const HIDDEN_PRM = '/where-the-challenge-says';

const PRM_PATHS: Readonly<Record<OauthBehaviour['prm'], readonly string[]>> = {
  header: [HIDDEN_PRM],
  path: [`${PRM}/mcp`],
  root: [PRM],
  none: [],
  'error-500': [PRM, `${PRM}/mcp`],
  html: [PRM, `${PRM}/mcp`],
  foreign: [PRM, `${PRM}/mcp`],
};

const METADATA_PATHS: Readonly<Record<OauthBehaviour['metadata'], readonly string[]>> = {
  oauth: [OAUTH],
  openid: [OPENID],
  'oauth-path': [`${OAUTH}/tenant`],
  'oauth-append': [`/tenant${OAUTH}`],
  'openid-append': [`/tenant${OPENID}`],
  slash: [OAUTH],
  mismatch: [OAUTH],
  'html-then-openid': [OPENID],
  html: [],
  none: [],
  'error-500': [OAUTH],
};

/** The address of the resource's metadata as a challenge names it; undefined where it names none. */
export function challengedPrm({ behaviour, origins }: OauthStage): string | undefined {
  const path = PRM_PATHS[behaviour.prm][0];
  if (behaviour.challengedPrm !== null) return behaviour.challengedPrm;
  return behaviour.challenge === 'bare' || path === undefined ? undefined : `${origins.server}${path}`;
}

/** Answers a request for the metadata of the resource (RFC 9728); false when it is about something else. */
export function answerPrm(stage: OauthStage, { path, method }: Arrived, response: ServerResponse): boolean {
  const { behaviour } = stage;
  if (method !== 'GET' || !PRM_PATHS[behaviour.prm].includes(path)) return false;
  if (behaviour.prm === 'error-500') sendJson(response, 500, { error: 'broken' });
  else if (behaviour.prm === 'html') sendHtml(response, 200);
  else sendJson(response, 200, prm(stage));
  return true;
}

/** Answers a request for the metadata of the authorization server (RFC 8414); false when it is about something else. */
export function answerMetadata(stage: OauthStage, { path, method }: Arrived, response: ServerResponse): boolean {
  const { metadata } = stage.behaviour;
  const isSpa = metadata === 'html' || metadata === 'html-then-openid';
  if (method !== 'GET') return false;
  if (METADATA_PATHS[metadata].includes(path)) {
    if (metadata === 'error-500') sendJson(response, 500, { error: 'broken' });
    else sendJson(response, 200, metadataOf(stage));
    return true;
  }
  if (isSpa && path.includes('/.well-known/')) sendHtml(response, 200);
  return response.headersSent;
}

function prm({ behaviour, url, issuer }: OauthStage): object {
  const { scopes } = behaviour;
  return {
    resource: behaviour.prm === 'foreign' ? 'https://other.example/mcp' : url,
    authorization_servers: [issuer],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    ...(behaviour.dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
    ...(behaviour.dpop === 'none' ? {} : { dpop_signing_alg_values_supported: ['ES256'] }),
    ...behaviour.prmMembers,
  };
}

function metadataOf(stage: OauthStage): object {
  const { base, behaviour, ownIssuer } = stage;
  return {
    issuer: ownIssuer,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: stage.tokenEndpoint,
    revocation_endpoint: `${base}/revoke`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    ...registrationOf(behaviour, base),
    ...(behaviour.pkce === 'advertised' ? { code_challenge_methods_supported: ['S256'] } : {}),
    ...(behaviour.documents === 'none' ? {} : { client_id_metadata_document_supported: true }),
    ...(['right', 'wrong', 'promised-missing'].includes(behaviour.iss) ? { authorization_response_iss_parameter_supported: true } : {}),
    ...(behaviour.pushed ? { pushed_authorization_request_endpoint: `${base}/par`, require_pushed_authorization_requests: true } : {}),
    ...(behaviour.dpop === 'none' ? {} : { dpop_signing_alg_values_supported: ['ES256'] }),
    ...behaviour.metadataMembers,
  };
}

function registrationOf({ registration }: OauthBehaviour, base: string): object {
  if (registration === 'none') return {};
  return { registration_endpoint: `${base}/register` };
}
