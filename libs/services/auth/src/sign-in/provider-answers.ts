import { Refusal } from '@gatehouse/kernel';
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { SignInRefusal, type SignInRefusalReason } from './sign-in-refusal.js';

const CANCELLED = ['access_denied', 'login_required', 'consent_required', 'interaction_required', 'account_selection_required'];
const MAX_DEPTH = 5;
const MAX_TOLD = 300;

/**
 * Why a provider's answer ended a sign-in. Nothing that the provider wrote goes further than the log:
 * before its issuer is verified the words may be anybody's, and afterwards they are still not ours.
 */
export function providerProblem(error: unknown): SignInRefusal {
  if (error instanceof SignInRefusal) return error;
  return new SignInRefusal(reasonOf(error), { cause: error });
}

/**
 * What the log is told of a provider's answer: the library's own words, and the provider's error code
 * and description. Never the error itself, which holds codes, claims and tokens in its `cause`.
 */
export function factsOf(error: unknown): Record<string, string> {
  const problem = causesOf(error)
    .filter((each) => each instanceof Error)
    .map(({ message }) => message)
    .join(': ');
  const said = error instanceof AuthorizationResponseError || error instanceof ResponseBodyError ? error : undefined;
  const description = said?.error_description;
  return {
    ...(problem === '' ? {} : { problem }),
    ...(said === undefined ? {} : { providerError: said.error.slice(0, MAX_TOLD) }),
    ...(description === undefined ? {} : { providerSays: description.slice(0, MAX_TOLD) }),
  };
}

function reasonOf(error: unknown): SignInRefusalReason {
  if (error instanceof AuthorizationResponseError) return CANCELLED.includes(error.error) ? 'cancelled' : 'provider_refused';
  if (error instanceof ResponseBodyError) return error.status >= 500 ? 'unreachable' : 'provider_refused';
  const chain = causesOf(error);
  if (chain.some((each) => isTimeout(each))) return 'slow';
  if (chain.some((each) => each instanceof Refusal || (each instanceof Response && each.status >= 500))) return 'unreachable';
  return 'bad_answer';
}

function isTimeout(error: unknown): boolean {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === 'TimeoutError' || code === 'upstream_timeout';
}

function causesOf(error: unknown): object[] {
  const chain: object[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < MAX_DEPTH) {
    chain.push(next);
    next = (next as { cause?: unknown }).cause;
  }
  return chain;
}
