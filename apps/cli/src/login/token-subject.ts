import { isJsonObject } from '@gatehouse/kernel';

/**
 * Whom an access token of ours is for (RFC 9068 `sub`), read without checking it: only the gateway can,
 * and here it decides nothing but whether two tokens belong together. Undefined for what is no JWT.
 */
export function tokenSubject(token: string): string | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isJsonObject(claims) && typeof claims['sub'] === 'string' ? claims['sub'] : undefined;
  } catch {
    // Dots, but no JWT: nothing is known of it.
    return undefined;
  }
}
