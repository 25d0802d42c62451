import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { MCP_SCOPE } from '../pipeline/authenticate.js';
import { PROOF_ALGS } from '../tokens/dpop-proof.js';
import { servePublicDocument } from './public-document.js';

const PREFIX = '/.well-known/oauth-protected-resource';
const ENDPOINT = /^\/mcp\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;

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
  servePublicDocument({ request, response, name: PREFIX, body: () => Buffer.from(JSON.stringify(metadataAt(request.url ?? '', edge))) }, edge);
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
