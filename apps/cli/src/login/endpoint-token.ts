import { serverName } from '@gatehouse/contracts';
import { notSignedIn, usageFailure } from '../failure.js';
import { gatewayPath } from '../gateway-url.js';
import { accessToken } from '../sign-in.js';
import type { Surroundings } from '../surroundings.js';
import { signInByBrowser } from './sign-in-by-browser.js';
import { StoredLogin } from './stored-login.js';

/** What clients ask of an endpoint's resource. */
export const ENDPOINT_SCOPE = 'mcp:access offline_access';

const TIMEOUT_MS = 120_000;

/** The endpoint's URL. A name only: a whole URL would send the token to wherever it points. */
export function endpointUrl(name: string, surroundings: Surroundings): URL {
  if (!serverName.safeParse(name).success) throw usageFailure(`${JSON.stringify(name)} is not the name of an endpoint`, 'gatehouse server list');
  return gatewayPath(surroundings, `/mcp/${name}`);
}

/**
 * The token for one endpoint. A login has one token per endpoint, because a token has one audience; the
 * first call of an endpoint asks for it in the browser where somebody is there to be asked.
 */
export function endpointToken(surroundings: Surroundings, name: string): Promise<string> {
  const resource = endpointUrl(name, surroundings).href;
  return accessToken(surroundings, { resource, signIn: () => signInFor(surroundings, name, resource) });
}

async function signInFor(surroundings: Surroundings, name: string, resource: string): Promise<string> {
  if (!surroundings.interactive) throw notSignedIn(`the login is not for the endpoint ${name} yet`, `gatehouse login --endpoint ${name}`);
  const signedIn = await signInByBrowser(surroundings, { resource, scope: ENDPOINT_SCOPE, browser: true, timeoutMs: TIMEOUT_MS });
  await new StoredLogin(surroundings).keep(resource, signedIn);
  return signedIn.tokens.accessToken;
}
