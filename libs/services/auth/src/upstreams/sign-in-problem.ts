import type { Refusal } from '@gatehouse/kernel';
import { AuthorizationResponseError, ClientError } from 'openid-client';
import { ConnectRefusal, type ConnectRefusalReason } from './connect-refusal.js';
import { errorCode } from './foreign-text.js';
import { DiscoveryFailed } from './hops.js';
import { refusalWithin } from './trouble-words.js';
import { ClientNeeded } from './upstream-clients.js';
import { TokenRefused } from './upstream-tokens.js';

const CANCELLED = ['access_denied', 'login_required', 'consent_required', 'interaction_required'];
const NOT_TAKEN = ['invalid_client', 'unauthorized_client', 'invalid_client_metadata', 'unauthorized_client_metadata'];
const PASSING = ['upstream_unreachable', 'upstream_timeout', 'upstream_too_large', 'upstream_invalid', 'url_refused'];
const isForged = ({ code, details }: Refusal): boolean => code === 'upstream_invalid' && details['reason'] === 'token';

/** Whether an authorization server says that it knows no such client: what some say to a metadata document. */
export function isDocumentRefusal(error: unknown): boolean {
  if (error instanceof AuthorizationResponseError || error instanceof TokenRefused) return NOT_TAKEN.includes(error.error);
  return false;
}

/**
 * Why an account was not connected. Nothing that came with the browser or from the other side goes
 * into it: before the issuer is verified it may be anybody's (auth.md section 8, mix-up).
 */
export function signInProblem(error: unknown): unknown {
  if (error instanceof ConnectRefusal) return error;
  const reason = reasonOf(error);
  return reason === undefined ? error : new ConnectRefusal(reason, { cause: error });
}

function reasonOf(error: unknown): ConnectRefusalReason | undefined {
  if (error instanceof AuthorizationResponseError) return CANCELLED.includes(error.error) ? 'cancelled' : 'said_no';
  if (error instanceof TokenRefused) return 'said_no';
  if (error instanceof DiscoveryFailed || error instanceof ClientNeeded) return 'not_ready';
  const refusal = refusalWithin(error);
  if (refusal === undefined) return error instanceof ClientError ? 'untrusted' : undefined;
  if (isForged(refusal)) return 'untrusted';
  return PASSING.includes(refusal.code) ? 'unreachable' : 'trouble';
}

/** What the log is told: our own words, and the other side's error code; never its texts, which may hold anything. */
export function problemFacts(error: unknown): Record<string, string> {
  if (error instanceof DiscoveryFailed || error instanceof ClientNeeded) return { problem: error.problem };
  if (error instanceof AuthorizationResponseError || error instanceof TokenRefused) return { providerError: errorCode(error.error) ?? 'unreadable' };
  const refusal = refusalWithin(error);
  if (refusal !== undefined) return { problem: `${refusal.code} ${String(refusal.details['reason'] ?? '')}`.trim() };
  return error instanceof ClientError ? { problem: `${error.message}${error.code === undefined ? '' : ` (${error.code})`}` } : {};
}
