import { CliFailure, EXIT } from './failure.js';
import type { Surroundings } from './surroundings.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The gateway's address, checked. */
export function gatewayUrl(surroundings: Surroundings): URL {
  const url = URL.canParse(surroundings.url) ? new URL(surroundings.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new CliFailure({ message: 'GATEHOUSE_URL is not an http or https URL', next: 'for example GATEHOUSE_URL=https://gatehouse.example.com', exit: EXIT.usage });
  }
  return url;
}

/**
 * The token to send: GATEHOUSE_TOKEN, else the local administrator's. The latter goes to another
 * machine only when the data directory was named: the token of a Gatehouse that happens to lie in
 * this folder is not for whatever GATEHOUSE_URL points at.
 */
export async function accessToken(surroundings: Surroundings): Promise<string> {
  if (surroundings.token !== undefined) return surroundings.token;
  const local = LOOPBACK.test(gatewayUrl(surroundings).hostname) || surroundings.dataDirNamed;
  const token = local ? await readToken(surroundings) : undefined;
  if (token === undefined) throw notSignedIn(surroundings, local);
  return token;
}

async function readToken(surroundings: Surroundings): Promise<string | undefined> {
  try {
    return (await surroundings.readFile(surroundings.adminTokenFile)).trim() || undefined;
  } catch {
    // No file, or not ours to read: the same as not being signed in, and said so by the caller.
    return undefined;
  }
}

function notSignedIn(surroundings: Surroundings, local: boolean): CliFailure {
  const where = local ? ` and there is no ${surroundings.adminTokenFile}` : '';
  return new CliFailure({
    message: `not signed in: GATEHOUSE_TOKEN is not set${where}`,
    code: 'unauthenticated',
    next: 'set GATEHOUSE_TOKEN, or GATEHOUSE_DATA_DIR to the data directory of a local Gatehouse',
    exit: EXIT.notSignedIn,
  });
}
