import type { IncomingHttpHeaders } from 'node:http';

const STEP_UP = /\binsufficient_scope\b/;

/** What a server said that does not accept the credential (401, or 403 for want of a scope: RFC 6750 section 3.1); undefined for every other answer. */
export function challengeIn({ status, headers }: { status: number; headers: IncomingHttpHeaders }): string | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const said: string | string[] = headers['www-authenticate'] ?? '';
  const challenge = Array.isArray(said) ? said.join(', ') : said;
  return status === 401 || STEP_UP.test(challenge) ? challenge : undefined;
}
