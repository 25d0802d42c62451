import { Refusal } from '@gatehouse/kernel';

/** Why a server could not be reached: `details.reason` of `upstream_unreachable`. */
export type UnreachableReason =
  | 'dns'
  | 'refused'
  | 'timeout'
  | 'no_route'
  | 'reset'
  | 'tls_expired'
  | 'tls_wrong_host'
  | 'tls_unknown_ca'
  | 'tls_failed'
  | 'closed'
  | 'aborted'
  | 'other';

const UNREACHABLE: Readonly<Record<string, UnreachableReason>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'no_route',
  ENETUNREACH: 'no_route',
  EADDRNOTAVAIL: 'no_route',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_wrong_host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_unknown_ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_unknown_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_unknown_ca',
  CERT_UNTRUSTED: 'tls_unknown_ca',
  EPROTO: 'tls_failed',
  UND_ERR_DESTROYED: 'closed',
  UND_ERR_CLOSED: 'closed',
  UND_ERR_ABORTED: 'aborted',
  ABORT_ERR: 'aborted',
};

const OTHER_REFUSALS: Readonly<Record<string, () => Refusal>> = {
  UND_ERR_HEADERS_TIMEOUT: () => new Refusal('upstream_timeout', { reason: 'headers' }),
  UND_ERR_BODY_TIMEOUT: () => new Refusal('upstream_timeout', { reason: 'body' }),
  UND_ERR_HEADERS_OVERFLOW: () => new Refusal('upstream_too_large', { reason: 'headers' }),
  UND_ERR_RES_EXCEEDED_MAX_SIZE: () => new Refusal('upstream_too_large', { reason: 'body' }),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: () => invalidAnswer('truncated'),
  UND_ERR_INVALID_ARG: () => new Refusal('header_refused'),
};

/** An answer that breaks HTTP or this client's rules. */
export function invalidAnswer(reason: 'http' | 'truncated' | 'encoded' | 'headers' | 'informational'): Refusal {
  return new Refusal('upstream_invalid', { reason });
}

/**
 * What went wrong with a request, as a refusal that names the kind of failure and no address:
 * `upstream_unreachable`, `upstream_timeout`, `upstream_too_large`, `upstream_invalid`,
 * `header_refused`, or the guard's own `url_refused` unchanged.
 */
export function failureOf(error: unknown, answerStarted = false): Refusal {
  if (error instanceof Refusal) return error;
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  const text = typeof code === 'string' ? code : '';
  const known = OTHER_REFUSALS[text];
  if (known !== undefined) return known();
  if (name === 'HTTPParserError' || isUnasked(text, String(message))) return invalidAnswer('http');
  const reason = reasonOf(text);
  return answerStarted && reason === 'reset' ? invalidAnswer('truncated') : new Refusal('upstream_unreachable', { reason });
}

function reasonOf(code: string): UnreachableReason {
  return UNREACHABLE[code] ?? (code.startsWith('ERR_SSL_') ? 'tls_failed' : 'other');
}

/** undici reports an unasked 100 or 101 as a socket error that differs from a reset by its words only. */
function isUnasked(code: string, message: string): boolean {
  return code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)/.test(message);
}
