import { isJsonObject, type JsonObject } from '@gatehouse/kernel';
import { scanJson } from '@gatehouse/mcp';
import { notAccepted } from './not-accepted.js';

/** Longest access token or proof that is looked at, in characters. */
export const MAX_JWT_CHARS = 8 * 1024;

/** The parts of a JWS in compact form (RFC 7515 section 7.1), read and not yet believed. */
export interface Jwt {
  readonly text: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Whether a token has the shape of a signed JWT; personal access tokens hold no dot, encrypted ones hold four. */
export function looksLikeJwt(token: string): boolean {
  return token.length <= MAX_JWT_CHARS && SHAPE.test(token);
}

/**
 * Takes a JWT apart. There is one reading of it or none: three parts, each in the one base64url spelling
 * of its bytes, header and payload JSON objects without a member that stands twice. Refuses with
 * `unauthenticated`.
 */
export function parseJwt(text: string): Jwt {
  if (!looksLikeJwt(text)) throw notAccepted();
  const [header, payload, signature] = text.split('.') as [string, string, string];
  bytesOf(signature);
  return { text, header: objectIn(bytesOf(header)), payload: objectIn(bytesOf(payload)) };
}

// The last character of a part has bits that decoders ignore: without this check one signature has many spellings.
function bytesOf(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw notAccepted();
  return bytes;
}

function objectIn(bytes: Buffer): JsonObject {
  scanJson(bytes);
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  if (!isJsonObject(parsed)) throw notAccepted();
  return parsed;
}
