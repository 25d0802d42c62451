/** Words of providers for the errors of RFC 6749 section 5.2. A preset's or an administrator's come first. */
const KNOWN: Readonly<Record<string, string>> = {
  bad_verification_code: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  invalid_code: 'invalid_grant',
  code_already_used: 'invalid_grant',
  code_expired: 'invalid_grant',
  expired_token: 'invalid_grant',
  invalid_refresh_token: 'invalid_grant',
  invalid_token: 'invalid_grant',
  token_expired: 'invalid_grant',
  token_revoked: 'invalid_grant',
  grant_not_found: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
  bad_client_secret: 'invalid_client',
  invalid_client_id: 'invalid_client',
  invalid_client_secret: 'invalid_client',
  bad_redirect_uri: 'invalid_request',
  redirect_uri_mismatch: 'invalid_request',
  ratelimited: 'temporarily_unavailable',
  rate_limited: 'temporarily_unavailable',
  internal_error: 'server_error',
  fatal_error: 'server_error',
};

/** Errors that say nothing about the request: the same one may succeed later. */
export const PASSING_ERRORS: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable', 'slow_down']);

/** The standard's word for a provider's. */
export function mappedError(code: string, own: Readonly<Record<string, string>> = {}): string {
  if (Object.hasOwn(own, code)) return own[code]!;
  return Object.hasOwn(KNOWN, code) ? KNOWN[code]! : code;
}
