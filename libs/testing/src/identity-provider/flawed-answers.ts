import type { IncomingMessage, ServerResponse } from 'node:http';
import { rewriteAnswer, type PendingAnswer, type Rewrite } from './answer-hook.js';
import { flawedIdToken } from './flawed-id-token.js';
import { AUTHORIZATION_FLAWS, ID_TOKEN_FLAWS, TOKEN_ENDPOINT_FLAWS, USERINFO_FLAWS, type ArmedFlaws, type METADATA_FLAWS } from './flaws.js';
import type { SigningKeys } from './signing-keys.js';

/** What the layer in front of the provider needs to know. */
export interface FlawParts {
  flaws: ArmedFlaws;
  keys: SigningKeys;
  issuer: string;
  clientSecret: () => string;
}

const DISCOVERY = '/.well-known/openid-configuration';
const INTERNAL = 'http://169.254.169.254/latest';
const ENDPOINTS = ['token_endpoint', 'jwks_uri', 'userinfo_endpoint'];

/**
 * Spoils one answer when a flaw for it is armed: answers itself (true), or has the provider's answer
 * rewritten on its way out (false).
 */
export function spoil(request: IncomingMessage, response: ServerResponse, parts: FlawParts): boolean {
  const url = new URL(request.url ?? '/', parts.issuer);
  const { flaws } = parts;
  if (url.pathname === DISCOVERY) return spoilDiscovery(response, parts);
  if (url.pathname === '/jwks') return spoilJwks(response, flaws);
  if (url.pathname === '/me') return spoilUserinfo(response, flaws);
  if (url.pathname === '/token') return spoilToken(response, parts);
  if (url.pathname === '/auth' && flaws.peek(['access-denied'])) return deny(url, response, parts);
  if (url.pathname.startsWith('/auth')) rewriteAnswer(response, spoilRedirect(flaws));
  return false;
}

function spoilDiscovery(response: ServerResponse, { flaws, issuer }: FlawParts): boolean {
  const isArmed = (flaw: (typeof METADATA_FLAWS)[number]): boolean => flaws.peek([flaw]) !== undefined;
  if (isArmed('discovery-500')) return fail(response, 500);
  if (isArmed('discovery-html')) return html(response);
  const wrong: Record<string, string> = {};
  if (isArmed('discovery-issuer-mismatch')) wrong.issuer = `${issuer}/other`;
  if (isArmed('discovery-internal-endpoints')) for (const endpoint of ENDPOINTS) wrong[endpoint] = `${INTERNAL}/${endpoint}`;
  rewriteAnswer(response, (answer) => changeJson(answer, wrong));
  return false;
}

function spoilJwks(response: ServerResponse, flaws: ArmedFlaws): boolean {
  if (flaws.peek(['jwks-unreachable'])) return hangUp(response);
  return flaws.peek(['jwks-500']) ? fail(response, 500) : false;
}

function spoilUserinfo(response: ServerResponse, flaws: ArmedFlaws): boolean {
  const flaw = flaws.take(USERINFO_FLAWS);
  if (flaw === 'userinfo-500') return fail(response, 500);
  if (flaw === 'userinfo-other-sub') rewriteAnswer(response, (answer) => changeJson(answer, { sub: 'somebody-else' }));
  return false;
}

function spoilToken(response: ServerResponse, parts: FlawParts): boolean {
  switch (parts.flaws.take(TOKEN_ENDPOINT_FLAWS)) {
    case 'token-500':
      return fail(response, 500);
    case 'token-html':
      return html(response);
    case 'token-hangs':
      // Never answered: whoever waits must give up by himself.
      return true;
    case 'token-closes':
      return hangUp(response);
    default:
      rewriteAnswer(response, (answer) => spoilIdToken(answer, parts));
      return false;
  }
}

async function spoilIdToken(answer: PendingAnswer, { flaws, keys, clientSecret }: FlawParts): Promise<void> {
  if (answer.status !== 200) return;
  const token = (JSON.parse(answer.body) as { id_token?: string }).id_token;
  const flaw = token === undefined ? undefined : flaws.take(ID_TOKEN_FLAWS);
  if (token === undefined || flaw === undefined) return;
  changeJson(answer, { id_token: flaw === 'id-token-missing' ? undefined : await flawedIdToken(token, flaw, keys, clientSecret()) });
}

/** Only the redirect that carries the code is the answer to the client; the others lead to the login page. */
function spoilRedirect(flaws: ArmedFlaws): Rewrite {
  return (answer) => {
    const url = answer.location !== undefined && URL.canParse(answer.location) ? new URL(answer.location) : undefined;
    if (url === undefined || !url.searchParams.has('code')) return;
    const flaw = flaws.take(AUTHORIZATION_FLAWS);
    if (flaw === 'iss-parameter-missing') url.searchParams.delete('iss');
    if (flaw === 'iss-parameter-wrong') url.searchParams.set('iss', 'https://idp.evil.example');
    if (flaw === 'state-wrong') url.searchParams.set('state', 'a state of another sign-in');
    answer.location = url.href;
  };
}

function deny(url: URL, response: ServerResponse, { flaws, issuer }: FlawParts): boolean {
  flaws.take(['access-denied']);
  const back = new URL(url.searchParams.get('redirect_uri') ?? issuer);
  const state = url.searchParams.get('state');
  back.searchParams.set('error', 'access_denied');
  back.searchParams.set('error_description', '<b>the person said no</b>');
  if (state !== null) back.searchParams.set('state', state);
  back.searchParams.set('iss', issuer);
  response.writeHead(303, { location: back.href }).end();
  return true;
}

function changeJson(answer: PendingAnswer, changes: Record<string, unknown>): void {
  if (Object.keys(changes).length > 0) answer.body = JSON.stringify({ ...(JSON.parse(answer.body) as object), ...changes });
}

function fail(response: ServerResponse, status: number): boolean {
  response.writeHead(status, { 'content-type': 'application/json' }).end('{"error":"server_error"}');
  return true;
}

function html(response: ServerResponse): boolean {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Down for maintenance</body></html>');
  return true;
}

function hangUp(response: ServerResponse): boolean {
  response.socket?.destroy();
  return true;
}
