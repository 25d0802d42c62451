import { Configuration, customFetch, fetchProtectedResource, WWWAuthenticateChallengeError } from 'openid-client';

/** What a server's `WWW-Authenticate` says about signing in. */
export interface SignInChallenge {
  /** Address of its metadata (RFC 9728 section 5.1). */
  resourceMetadata: string | undefined;
  scopes: string[];
  /** RFC 6750 section 3.1: `invalid_token`, `insufficient_scope`. */
  error: string | undefined;
  /** Whether it takes tokens bound to a key (RFC 9449 section 7.1). */
  hasProofs: boolean;
}

const NOTHING: SignInChallenge = { resourceMetadata: undefined, scopes: [], error: undefined, hasProofs: false };
const SCHEMES = ['bearer', 'dpop'];
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const MOST_SCOPES = 100;

/**
 * Reads a challenge by the grammar of RFC 9110 section 11.6.1, several schemes in one header included.
 * A name inside a quoted text or a longer name is none (`xresource_metadata`, auth.md section 5); a
 * header that breaks the grammar says nothing.
 */
export async function readChallenge(header: string | null): Promise<SignInChallenge> {
  const challenges = await parsed(header);
  const ours = challenges.filter(({ scheme }) => SCHEMES.includes(scheme));
  const chosen = ours.find(({ parameters }) => parameters['resource_metadata'] !== undefined) ?? ours[0];
  if (chosen === undefined) return NOTHING;
  const { resource_metadata: resourceMetadata, scope = '', error } = chosen.parameters;
  return { resourceMetadata, scopes: scopeNames(scope), error, hasProofs: ours.some(({ scheme }) => scheme === 'dpop') };
}

/** The scopes of a space-separated text that are spelled as RFC 6749 section 3.3 asks, each once. */
export function scopeNames(text: string): string[] {
  return [...new Set(text.split(' ').filter((name) => SCOPE.test(name)))].slice(0, MOST_SCOPES);
}

interface Parsed {
  scheme: string;
  parameters: Record<string, string>;
}

// The library parses what it received; it is handed the header as if it just had received it.
async function parsed(header: string | null): Promise<readonly Parsed[]> {
  if (header === null || !/^[\t\x20-\x7e]*$/.test(header)) return [];
  const reader = new Configuration({ issuer: 'https://challenge.invalid' }, 'reader');
  reader[customFetch] = () => Promise.resolve(new Response(null, { status: 401, headers: { 'www-authenticate': header } }));
  try {
    await fetchProtectedResource(reader, 'none', new URL('https://challenge.invalid'), 'GET');
    return [];
  } catch (error) {
    if (error instanceof WWWAuthenticateChallengeError) return error.cause as unknown as Parsed[];
    throw error;
  }
}
