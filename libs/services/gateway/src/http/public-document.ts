import type { IncomingMessage, ServerResponse } from 'node:http';
import { asRefusalOrFault, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { openDraft } from '../pipeline/pipeline.js';
import { sendTrouble } from './plain-answer.js';
import { headerOf } from './request-head.js';

const CORS = { 'access-control-allow-origin': '*' };
const PREFLIGHT = { ...CORS, 'access-control-allow-methods': 'GET, HEAD, OPTIONS', 'access-control-allow-headers': '*', 'access-control-max-age': '86400' };
const CACHED = { ...CORS, 'cache-control': 'public, max-age=60', 'x-content-type-options': 'nosniff' };

/** A document asked for. */
export interface AskedDocument {
  request: IncomingMessage;
  response: ServerResponse;
  /** What the record of a refusal names it by. */
  name: string;
  /** The document as JSON; may refuse. */
  body(): Buffer;
}

/** Answers with a small JSON document for everybody, from every page (CORS without credentials), never a secret. */
export function servePublicDocument({ request, response, name, body: read }: AskedDocument, edge: Edge): void {
  const { method } = request;
  try {
    edge.admission.checkHost(headerOf(request, 'host'));
    if (method === 'OPTIONS') return void response.writeHead(204, PREFLIGHT).end();
    if (method !== 'GET' && method !== 'HEAD') throw new Refusal('method_not_allowed', { allow: 'GET, HEAD, OPTIONS' });
    const body = read();
    response.writeHead(200, { ...CACHED, 'content-type': 'application/json', 'content-length': body.length });
    response.end(method === 'HEAD' ? undefined : body);
  } catch (thrown) {
    const error = asRefusalOrFault(thrown);
    const draft = openDraft(request, edge);
    draft.facts.method = `${method ?? ''} ${name}`;
    sendTrouble(error, request, response.setHeader('access-control-allow-origin', '*'));
    draft.close({ status: error instanceof Refusal ? 'refused' : 'error', code: error.code, httpStatus: response.statusCode });
  }
}
