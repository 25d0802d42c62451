import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { jsonOrForm } from './answer-body.js';
import { errorCode } from './foreign-text.js';
import { mappedError, PASSING_ERRORS } from './token-errors.js';
import { tokenMembers } from './token-members.js';
import type { UpstreamFetch } from './upstream-fetch.js';

/** Which endpoint an answer came from, which decides what is made of it. */
export type Endpoint = 'token' | 'registration' | 'other';

/** A server's own ways, as its settings tell. */
export type AnswerWays = Pick<upstreamContracts.UpstreamOauth, 'tokenPaths' | 'errorMap'>;

/**
 * Stands between an authorization server and the library that reads its answers: what RFC 6749 and
 * RFC 7591 ask for comes out, however it was said (auth.md section 5). Answers that say nothing about
 * the request (5xx, 429, redirects, HTML, a firewall's 403) reject with a `Refusal`: what they mean
 * may pass, and no parser and no log sees them.
 */
export function normalised(fetch: UpstreamFetch, endpointOf: (url: string) => Endpoint, ways: AnswerWays = {}): UpstreamFetch {
  return async (url, request) => {
    const response = await fetch(url, request);
    refuseTrouble(response);
    const body = await response.text();
    const endpoint = endpointOf(String(url));
    // RFC 7009 section 2.2: nothing is to be read in a yes of the revocation endpoint.
    if (endpoint === 'other' && response.ok && body.trim() === '') return new Response(null, { status: response.status });
    const members = jsonOrForm(body, response.headers.get('content-type'));
    if (members === undefined) throw new Refusal('upstream_invalid', { reason: 'not_json', status: response.status });
    return answerOf(endpoint, response, members, ways);
  };
}

function refuseTrouble({ status }: Response): void {
  if (status >= 500 || status === 429 || status === 408) throw new Refusal('upstream_unreachable', { reason: 'status', status });
  if (status >= 300 && status < 400) throw new Refusal('upstream_invalid', { reason: 'redirect', status });
}

function answerOf(endpoint: Endpoint, response: Response, members: JsonObject, ways: AnswerWays): Response {
  const error = errorOf(response, members, ways);
  if (error !== undefined) return refusing(error, members, response.headers);
  if (endpoint === 'token') return spelled(200, tokenMembers(members, ways.tokenPaths), response.headers);
  return spelled(endpoint === 'registration' ? 201 : response.status, members, response.headers);
}

/** The error an answer names, however it names it (`error` in a 200, Slack's `ok: false`); undefined when it names none. */
function errorOf(response: Response, members: JsonObject, { errorMap }: AnswerWays): string | undefined {
  const said = members['error'] ?? (members['ok'] === false ? 'invalid_request' : undefined);
  if (response.ok && said === undefined) return undefined;
  const code = errorCode(said) ?? errorCode(codeWithin(said));
  if (code === undefined) return unnamedError(response.status);
  const mapped = mappedError(code, errorMap);
  if (PASSING_ERRORS.has(mapped)) throw new Refusal('upstream_unreachable', { reason: 'status', status: response.status });
  return mapped;
}

function codeWithin(said: unknown): unknown {
  const { code, type, status } = (typeof said === 'object' && said !== null ? said : {}) as JsonObject;
  return [code, type, status].find((each) => typeof each === 'string');
}

// A no that is in none of OAuth's words: only 400 and 401 are certain to be about the request.
function unnamedError(status: number): string {
  if (status === 401) return 'invalid_client';
  if (status === 200 || status === 201 || status === 400 || status === 422) return 'invalid_request';
  throw new Refusal('upstream_invalid', { reason: 'status', status });
}

// 400 for every no: libraries read a 401's challenge instead of its body, and Atlassian says 403.
function refusing(error: string, members: JsonObject, headers: Headers): Response {
  const description = members['error_description'] ?? members['message'];
  return spelled(400, { error, ...(typeof description === 'string' ? { error_description: description.slice(0, 1_000) } : {}) }, headers);
}

function spelled(status: number, members: JsonObject, headers: Headers): Response {
  const nonce = headers.get('dpop-nonce');
  return Response.json(members, { status, headers: nonce === null ? {} : { 'dpop-nonce': nonce } });
}
