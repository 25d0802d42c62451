import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Edge } from '../edge.js';
import { servePublicDocument } from '../http/public-document.js';

const PATH = '/.well-known/gatehouse-calls/jwks.json';

/** Whether a request asks for the keys that verify statements about calls. */
export function isCallKeys(url: string | undefined): boolean {
  return url?.startsWith(PATH) === true && (url.length === PATH.length || url[PATH.length] === '?');
}

/** Answers with the keys that verify statements about calls, as a JWK set: for servers, and for everybody. */
export function serveCallKeys(request: IncomingMessage, response: ServerResponse, edge: Edge): void {
  servePublicDocument({ request, response, name: PATH, body: () => edge.statements.published() }, edge);
}
