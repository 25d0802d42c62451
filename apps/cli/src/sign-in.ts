import { CliFailure, EXIT, notSignedIn } from './failure.js';
import { apiResource, gatewayUrl } from './gateway-url.js';
import { StoredLogin } from './login/stored-login.js';
import type { Surroundings } from './surroundings.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** An endpoint that a token is wanted for, and how to sign in for it where the login has none. */
export interface EndpointWish {
  resource: string;
  signIn: () => Promise<string>;
}

/**
 * The token for the admin API, or for an endpoint: GATEHOUSE_TOKEN, else the stored login's, else the
 * local administrator's, which is good for every resource. That goes to another machine only when the
 * data directory was named: the token of a Gatehouse that happens to lie in this folder is not for
 * whatever GATEHOUSE_URL points at. A login that is over is said so: nobody becomes administrator by it.
 */
export async function accessToken(surroundings: Surroundings, endpoint?: EndpointWish): Promise<string> {
  if (surroundings.token !== undefined) return surroundings.token;
  const login = new StoredLogin(surroundings);
  if (await login.exists()) return endpoint === undefined ? apiToken(surroundings, login) : endpointToken(login, endpoint);
  const local = LOOPBACK.test(gatewayUrl(surroundings).hostname) || surroundings.dataDirNamed;
  const token = local ? await readToken(surroundings) : undefined;
  if (token === undefined) throw notSignedIn(`not signed in: GATEHOUSE_TOKEN is not set, nobody used gatehouse login${local ? ` and there is no ${surroundings.adminTokenFile}` : ''}`);
  return token;
}

/** Another token than one the gateway just refused; undefined where it does not come from a login that can be renewed. */
export async function renewedToken(surroundings: Surroundings, refused: string, resource = apiResource(surroundings)): Promise<string | undefined> {
  if (surroundings.token !== undefined) return undefined;
  const login = new StoredLogin(surroundings);
  return (await login.exists()) ? login.renewed(resource, refused) : undefined;
}

async function apiToken(surroundings: Surroundings, login: StoredLogin): Promise<string> {
  const token = await login.token(apiResource(surroundings));
  if (token === undefined) throw notSignedIn('signed in for endpoints only, not for the admin API', 'gatehouse login');
  return token;
}

async function endpointToken(login: StoredLogin, { resource, signIn }: EndpointWish): Promise<string> {
  return (await heldFor(login, resource)) ?? (await signIn());
}

async function heldFor(login: StoredLogin, resource: string): Promise<string | undefined> {
  try {
    return await login.token(resource);
  } catch (error) {
    // Over or expired: for an endpoint that is no end, the person signs in for it again.
    if (error instanceof CliFailure && error.exit === EXIT.notSignedIn) return undefined;
    throw error;
  }
}

async function readToken(surroundings: Surroundings): Promise<string | undefined> {
  try {
    return (await surroundings.readFile(surroundings.adminTokenFile)).trim() || undefined;
  } catch {
    // No file, or not ours to read: the same as not being signed in, and said so by the caller.
    return undefined;
  }
}
