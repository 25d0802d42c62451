import { troubleWords } from '../upstreams/trouble-words.js';
import { TokenRefused } from '../upstreams/upstream-tokens.js';
import { SignInNeeded } from './sign-in-needed.js';

const INVALID = new Set(['invalid_grant', 'invalid_request', 'access_denied']);
const CLIENT = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_target']);

/** What keeps a person from having an account made for them, as a sentence to show them. */
export function handOverProblem(server: string, error: unknown, publicOrigin: string): string {
  const again = `sign in again at ${publicOrigin}/login?fresh=1`;
  if (error instanceof SignInNeeded) return `Your account at ${server} is made from your sign-in, which has ended or was not kept: ${again}, then try again.`;
  if (!(error instanceof TokenRefused)) return `No account could be made for you at ${server}: ${troubleWords(error)}. Try again in a moment.`;
  const refused = `An authorization server refused to make your account at ${server} (${error.error.slice(0, 60).replace(/[^\x21-\x7e]/g, '')}).`;
  if (CLIENT.has(error.error)) return `${refused} An administrator must look at the settings of this server.`;
  return INVALID.has(error.error) ? `${refused} You may have no access there; otherwise ${again}, then try again.` : refused;
}
