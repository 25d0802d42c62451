import type { IncomingMessage, ServerResponse } from 'node:http';
import { asRefusalOrFault, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { MCP_SCOPE } from '../pipeline/authenticate.js';
import { openDraft } from '../pipeline/pipeline.js';
import { PROOF_ALGS } from '../tokens/dpop-proof.js';
import { headerOf } from './request-head.js';
import { sendTrouble } from './plain-answer.js';

const PREFIX = '/.well-known/oauth-protected-resource';
const ENDPOINT = /^\/mcp\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const CORS = { 'access-control-allow-origin': '*' };
const PREFLIGHT = { ...CORS, 'access-control-allow-methods': 'GET, HEAD, OPTIONS', 'access-control-allow-headers': '*', 'access-control-max-age': '86400' };
const CACHED = { ...CORS, 'cache-control': 'public, max-age=60', 'x-content-type-options': 'nosniff' };

/** Whether a request asks for the metadata of a protected resource (RFC 9728). */
export function isResourceMetadata(url: string | undefined): boolean {
  return url?.startsWith(PREFIX) === true;
}

/**
 * Answers with the metadata of a resource: how a client that was told 401 finds out where to sign in.
 * For everybody, from every page (CORS without credentials), never a secret.
 *
 * There is none at the bare well-known path: it would describe the origin, and the origin is no resource
 * of ours. A client must refuse metadata whose `resource` is not what it asked about (RFC 9728 section
 * 3.3), and one that believed it would ask for tokens that no endpoint takes. Clients that find nothing
 * there go on with the authorization server's metadata at the origin (MCP 2025-03-26).
 */
export function serveResourceMetadata(request: IncomingMessage, response: ServerResponse, edge: Edge): void {
  const { method } = request;
  try {
    edge.admission.checkHost(headerOf(request, 'host'));
    if (method === 'OPTIONS') return void response.writeHead(204, PREFLIGHT).end();
    if (method !== 'GET' && method !== 'HEAD') throw new Refusal('method_not_allowed', { allow: 'GET, HEAD, OPTIONS' });
    const body = Buffer.from(JSON.stringify(metadataAt(request.url ?? '', edge)));
    response.writeHead(200, { ...CACHED, 'content-type': 'application/json', 'content-length': body.length });
    response.end(method === 'HEAD' ? undefined : body);
  } catch (thrown) {
    const error = asRefusalOrFault(thrown);
    const draft = openDraft(request, edge);
    draft.facts.method = `${method ?? ''} ${PREFIX}`;
    sendTrouble(error, request, response.setHeader('access-control-allow-origin', '*'));
    draft.close({ status: error instanceof Refusal ? 'refused' : 'error', code: error.code, httpStatus: response.statusCode });
  }
}

function metadataAt(url: string, edge: Edge): object {
  const path = url.split('?', 1)[0]!.slice(PREFIX.length);
  if (path === '/api/v1') return documentOf(edge.resources.api, 'Gatehouse admin API', 'admin', [edge.resources.issuer]);
  const slug = ENDPOINT.exec(path)?.[1];
  if (slug === undefined || edge.state.policy().server(slug) === undefined) throw new Refusal('not_found');
  const servers = [edge.resources.issuer, ...edge.state.directory().issuers];
  return documentOf(edge.resources.endpoint(slug), `${slug} through Gatehouse`, MCP_SCOPE, servers);
}

function documentOf(resource: string, name: string, scope: string, servers: readonly string[]): object {
  return {
    resource,
    resource_name: name,
    authorization_servers: servers,
    scopes_supported: [scope],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: PROOF_ALGS,
  };
}
