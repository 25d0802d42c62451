import { CliFailure, EXIT } from './failure.js';
import type { Surroundings } from './surroundings.js';

/** The gateway's address, checked. */
export function gatewayUrl(surroundings: Surroundings): URL {
  const url = URL.canParse(surroundings.url) ? new URL(surroundings.url) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new CliFailure({ message: 'GATEHOUSE_URL is not an http or https URL', next: 'for example GATEHOUSE_URL=https://gatehouse.example.com', exit: EXIT.usage });
  }
  return url;
}

/** An address below the gateway's, without query: `/api/v1`, `/mcp/<name>`. */
export function gatewayPath(surroundings: Surroundings, path: string): URL {
  const url = gatewayUrl(surroundings);
  url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
  url.search = '';
  return url;
}

/** The resource that tokens for the admin API are made for. */
export function apiResource(surroundings: Surroundings): string {
  return gatewayPath(surroundings, '/api/v1').href;
}

/** Why the gateway could not be talked to at all, and what to do. */
export function unreachable(origin: string, cause: unknown, interrupted?: AbortSignal): CliFailure {
  if (interrupted?.aborted === true) return new CliFailure({ message: 'interrupted' });
  return new CliFailure(
    { message: `no answer from ${origin}`, next: 'is it running? npm start starts one here; GATEHOUSE_URL says where another one is' },
    { cause },
  );
}
