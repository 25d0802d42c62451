import type { AuthorizationServerMetadata, OAuthTokens } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { CliFailure } from '../failure.js';
import { gatewayUrl, unreachable } from '../gateway-url.js';
import type { Surroundings } from '../surroundings.js';
import type { HeldTokens, Login } from './login-file.js';

const TIMEOUT_MS = 15_000;
const DEFAULT_LIFE_S = 300;
const METADATA = '/.well-known/oauth-protected-resource';

/** The client that every Gatehouse knows: public, answered on the loopback interface only (RFC 8252). */
export const CLI_CLIENT = { client_id: 'gatehouse-cli', redirect_uris: [] };

const resourceMetadata = z.object({ resource: z.string(), authorization_servers: z.array(z.string()).min(1) });

/**
 * The authorization server of a resource (RFC 9728, RFC 8414). Tokens are as good as passwords here, so
 * everything is pinned to the gateway's own origin: metadata cannot lead the sign-in to another host.
 */
export async function discover(surroundings: Surroundings, resource: string): Promise<AuthorizationServerMetadata> {
  const { origin } = gatewayUrl(surroundings);
  const described = await describedResource(surroundings, resource);
  if (described.resource !== resource) throw otherAddress(origin, described.resource);
  if (!described.authorization_servers.includes(origin)) throw noSignIn(origin, 'names no authorization server of its own');
  const { discoverAuthorizationServerMetadata } = await import('@modelcontextprotocol/client');
  const metadata = await reached(surroundings, () => discoverAuthorizationServerMetadata(origin, { fetchFn: guardedFetch(surroundings) }));
  if (metadata === undefined) throw noSignIn(origin, 'has no metadata of its authorization server');
  const endpoints = [metadata.authorization_endpoint, metadata.token_endpoint, revocationOf(metadata) ?? origin];
  if (endpoints.some((endpoint) => new URL(endpoint).origin !== origin)) throw noSignIn(origin, 'names endpoints on another host');
  return metadata;
}

/** Where tokens are given back (RFC 7009), if anywhere. */
export function revocationOf(metadata: AuthorizationServerMetadata): string | undefined {
  return 'revocation_endpoint' in metadata && typeof metadata.revocation_endpoint === 'string' ? metadata.revocation_endpoint : undefined;
}

/** Tokens as they are kept. */
export function heldTokens(tokens: OAuthTokens, now: number): HeldTokens {
  const { access_token: accessToken, refresh_token: refreshToken = null, expires_in: life = DEFAULT_LIFE_S } = tokens;
  return { accessToken, refreshToken, expiresAt: now + life * 1_000 };
}

/** New tokens for a refresh token. Fails with code `invalid_grant` when the login is over. */
export async function refreshed(surroundings: Surroundings, { issuer, tokenEndpoint }: Login, wish: { resource: string; refreshToken: string }): Promise<HeldTokens> {
  const { refreshAuthorization } = await import('@modelcontextprotocol/client');
  const metadata = { issuer, authorization_endpoint: issuer, token_endpoint: tokenEndpoint, response_types_supported: ['code'] };
  const tokens = await reached(surroundings, () =>
    refreshAuthorization(issuer, { metadata, clientInformation: CLI_CLIENT, ...wish, fetchFn: guardedFetch(surroundings) }),
  );
  return heldTokens(tokens, surroundings.now());
}

/** Gives a refresh token back; with it every access token of the grant is over (RFC 7009). */
export async function revoke(surroundings: Surroundings, endpoint: string, refreshToken: string): Promise<void> {
  const body = new URLSearchParams({ token: refreshToken, token_type_hint: 'refresh_token', client_id: CLI_CLIENT.client_id });
  const response = await reached(surroundings, () => guardedFetch(surroundings)(endpoint, { method: 'POST', body }));
  await response.body?.cancel();
  if (!response.ok) throw new CliFailure({ message: `the authorization server did not take the login back (HTTP ${response.status})` });
}

/** A fetch that ends in time and follows no redirect, which would carry tokens elsewhere; fails with what to do. */
export function guardedFetch(surroundings: Surroundings): (url: string | URL, init?: RequestInit) => Promise<Response> {
  const { interrupted } = surroundings;
  return async (url, init = {}) => {
    try {
      return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]) });
    } catch (error) {
      throw unreachable(new URL(url).origin, error, interrupted);
    }
  };
}

/** Runs one exchange with the authorization server; what goes wrong becomes a failure with its reason. */
export async function reached<T>(surroundings: Surroundings, exchange: () => Promise<T>): Promise<T> {
  const { IssuerMismatchError, OAuthError } = await import('@modelcontextprotocol/client');
  try {
    return await exchange();
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    if (error instanceof OAuthError) throw new CliFailure({ message: `the authorization server refused: ${error.message || error.code}`, code: error.code }, { cause: error });
    const { origin } = gatewayUrl(surroundings);
    if (error instanceof IssuerMismatchError) throw noSignIn(origin, 'says that its authorization server is another one');
    throw new CliFailure({ message: `the authorization server at ${origin} cannot be used: ${error instanceof Error ? error.message : String(error)}` }, { cause: error });
  }
}

async function describedResource(surroundings: Surroundings, resource: string): Promise<z.output<typeof resourceMetadata>> {
  const { origin, pathname } = new URL(resource);
  const response = await reached(surroundings, () => guardedFetch(surroundings)(`${origin}${METADATA}${pathname}`, { headers: { accept: 'application/json' } }));
  if (response.status === 404) throw noSignIn(origin, `has nothing at ${pathname} that one can sign in for`);
  const parsed = resourceMetadata.safeParse(response.ok ? await response.json().catch(() => undefined) : undefined);
  if (parsed.success) return parsed.data;
  throw noSignIn(origin, `does not say where to sign in (HTTP ${response.status})`);
}

function otherAddress(origin: string, resource: string): CliFailure {
  const own = URL.canParse(resource) ? new URL(resource).origin : resource;
  return new CliFailure({
    message: `the Gatehouse at ${origin} calls itself ${own}; its tokens are for that address`,
    next: `GATEHOUSE_URL=${own} gatehouse login, if that is the Gatehouse you mean`,
  });
}

function noSignIn(origin: string, why: string): CliFailure {
  return new CliFailure({ message: `${origin} ${why}`, next: 'check GATEHOUSE_URL, or set GATEHOUSE_TOKEN to a personal access token' });
}
