import { isJsonObject, type JsonObject } from '@gatehouse/kernel';
import { usageFailure } from './failure.js';
import { namedText } from './secret-source.js';
import type { Surroundings } from './surroundings.js';

/** Members of a JWK that only a private or symmetric key has (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The public keys of a file: a JWK Set (RFC 7517) or one JWK. A private key is refused before it is
 * sent anywhere: whoever holds it besides its owner can be its owner.
 */
export async function publicKeysIn(path: string, surroundings: Surroundings): Promise<{ keys: JsonObject[] }> {
  const value = parse(await namedText(path, surroundings));
  const keys = isJsonObject(value) && Array.isArray(value['keys']) ? value['keys'] : [value];
  if (!keys.every((key): key is JsonObject => isJsonObject(key) && typeof key['kty'] === 'string')) {
    throw usageFailure(`${path} is not a JWK Set`, 'for example {"keys":[{"kty":"EC","crv":"P-256","x":"…","y":"…"}]}');
  }
  if (keys.some((key) => PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member)))) {
    throw usageFailure(`${path} holds a private key; nothing was sent`, 'give the public part only: keep kty, crv, x, y (or n, e), kid, use and alg');
  }
  return { keys };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the same answer as JSON of another kind.
    return undefined;
  }
}
