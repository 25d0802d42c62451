import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { scanJson } from '@gatehouse/mcp';
import type { FastifyInstance } from 'fastify';
import { scimRefusal } from '../scim-refusal.js';

/** Largest body (bytes): ten thousand members and more. */
export const BODY_BYTES = 1_048_576;

const LIMITS = { maxDepth: 32, maxNodes: 100_000 };
const MEDIA_TYPES = ['application/scim+json', 'application/json'];

/** Takes JSON bodies only, strictly read: a name that stands twice, or `__proto__`, is refused. */
export function readBodies(scim: FastifyInstance): void {
  scim.removeAllContentTypeParsers();
  scim.addContentTypeParser(MEDIA_TYPES, { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) => {
    try {
      done(null, parse(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** The object that a request carries; refuses with `invalidSyntax` anything else. */
export function objectIn(body: unknown): JsonObject {
  if (!isJsonObject(body)) throw scimRefusal('invalidSyntax', 'The body must be a JSON object.');
  return body;
}

function parse(body: Buffer): JsonValue | undefined {
  if (body.length === 0) return undefined;
  scanJson(body, LIMITS);
  const text = body.toString('utf8');
  return JSON.parse(text, text.includes('\\u0000') ? refuseNul : undefined) as JsonValue;
}

// The database holds no NUL and would answer with an error of its own.
function refuseNul(name: string, value: unknown): unknown {
  if (name.includes('\u0000') || (typeof value === 'string' && value.includes('\u0000'))) throw scimRefusal('invalidValue', 'A text holds the character U+0000.');
  return value;
}
