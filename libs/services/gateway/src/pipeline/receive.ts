import type { IncomingMessage } from 'node:http';
import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { headerOf, refuseRepeatedHeaders } from '../http/request-head.js';
import { presentedToken, type PresentedToken } from '../tokens/presented-token.js';
import type { CallDraft } from './record.js';

/** HTTP methods of an MCP endpoint (Streamable HTTP). */
export type EndpointVerb = 'POST' | 'GET' | 'DELETE';

interface Parts {
  request: IncomingMessage;
  verb: EndpointVerb;
  slug: string;
  presented: PresentedToken | undefined;
  draft: CallDraft;
}

let earn: (parts: Parts) => Received;

/** A request whose head may be answered: for this host, from this origin, to an endpoint's exact path. */
export class Received {
  protected readonly earned = true;

  readonly request: IncomingMessage;
  readonly verb: EndpointVerb;
  readonly slug: string;
  readonly presented: PresentedToken | undefined;
  readonly draft: CallDraft;

  private constructor({ request, verb, slug, presented, draft }: Parts) {
    this.request = request;
    this.verb = verb;
    this.slug = slug;
    this.presented = presented;
    this.draft = draft;
  }

  static {
    earn = (parts) => new Received(parts);
  }
}

// One spelling of a path: no trailing slash, no doubled slash, no escapes, no parameters (E-19).
const ENDPOINT = /^\/mcp\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\?(.*))?$/;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Looks at the head only; the body is read after the caller is known. Refuses with `draining`,
 * `not_found`, `method_not_allowed`, `bad_request`, `origin_denied`, `unsupported_media_type`,
 * `not_acceptable`.
 */
export function receive(request: IncomingMessage, draft: CallDraft, edge: Edge): Received {
  if (edge.draining) throw new Refusal('draining');
  const path = ENDPOINT.exec(request.url ?? '');
  if (path === null) throw new Refusal('not_found');
  const slug = path[1]!;
  draft.facts.endpoint = slug;
  draft.facts.traceId = TRACEPARENT.exec(headerOf(request, 'traceparent') ?? '')?.[1] ?? null;
  refuseRepeatedHeaders(request.rawHeaders);
  edge.admission.check(headerOf(request, 'host'), headerOf(request, 'origin'));
  const verb = verbOf(request.method);
  draft.facts.method = verb === 'POST' ? null : verb;
  draft.mark('receive');
  return earn({ request, verb, slug, presented: presentedToken(request), draft });
}

function verbOf(method: string | undefined): EndpointVerb {
  if (method === 'POST' || method === 'GET' || method === 'DELETE') return method;
  throw new Refusal('method_not_allowed', { allow: 'POST, GET, DELETE' });
}
