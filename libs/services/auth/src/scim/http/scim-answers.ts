import { asRefusalOrFault, errorRow, Fault, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import { namesVersion } from '../resource/resource-meta.js';

const MEDIA_TYPE = 'application/scim+json';
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** What a change by a directory cannot take away, in words for whoever runs the directory. */
const REASONS: Readonly<Record<string, string>> = {
  last_administrator: 'This would leave Gatehouse without an administrator: give the role to somebody else first.',
};

/** Sends JSON as SCIM names it; answers about people are never stored on the way. */
export function sendScim(reply: FastifyReply, status: number, body: JsonObject): FastifyReply {
  return reply.status(status).header('cache-control', 'no-store').type(MEDIA_TYPE).send(JSON.stringify(body));
}

/** Sends one resource with its version; nothing when the caller has this version already (RFC 7644 section 3.14). */
export function sendResource(reply: FastifyReply, status: number, resource: JsonObject): FastifyReply {
  const { location, version } = (resource['meta'] ?? {}) as { location?: string; version?: string };
  const { 'if-none-match': held } = reply.request.headers;
  if (version !== undefined) void reply.header('etag', version);
  if (location !== undefined) void reply.header(status === 201 ? 'location' : 'content-location', location);
  if (version !== undefined && held !== undefined && reply.request.method === 'GET' && namesVersion(held, version)) return reply.status(304).send();
  return sendScim(reply, status, resource);
}

/** What was thrown as one of ours: what Fastify refuses by itself too. */
export function errorOf(thrown: unknown): Refusal | Fault {
  return asRefusalOrFault(asRefusal(thrown));
}

/** Sends an error as SCIM words it (RFC 7644 section 3.12); a fault is told by its id alone. */
export function sendError(reply: FastifyReply, error: Refusal | Fault): FastifyReply {
  const { status, sentence, retryable } = errorRow(error.code);
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (retryable && !reply.hasHeader('retry-after')) void reply.header('retry-after', '1');
  return sendScim(reply, status, { schemas: [ERROR], status: String(status), ...wordsOf(error, sentence) });
}

function wordsOf(error: Refusal | Fault, sentence: string): JsonObject {
  if (error instanceof Fault) return { detail: `${sentence} (${error.id})` };
  const { scimType, detail, reason, constraint } = error.details;
  if (typeof scimType === 'string') return { scimType, detail: detail ?? sentence };
  // Two requests may pass the same check one after the other; the database lets one of them through.
  if (constraint !== undefined) return { scimType: 'uniqueness', detail: 'Another resource has this name already.' };
  return { ...(SYNTAX.has(error.code) ? { scimType: 'invalidSyntax' } : {}), detail: REASONS[String(reason)] ?? sentence };
}

const SYNTAX: ReadonlySet<string> = new Set(['parse_error', 'ambiguous_json', 'too_deep']);

function asRefusal(thrown: unknown): unknown {
  const status = (thrown as { statusCode?: number } | null)?.statusCode;
  if (status === undefined || status >= 500 || thrown instanceof Refusal) return thrown;
  if (status === 413) return new Refusal('too_large');
  return new Refusal(status === 415 ? 'unsupported_media_type' : 'bad_request');
}
