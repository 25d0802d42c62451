import { Refusal } from '@gatehouse/kernel';

/** Why a TLS connection was not made, so that each has its own fix. */
export type TlsReason =
  | 'tls_expired'
  | 'tls_not_yet_valid'
  | 'tls_wrong_host'
  | 'tls_unknown_authority'
  | 'tls_self_signed'
  | 'tls_broken_chain'
  | 'tls_protocol';

/** Why a server could not be reached: `details.reason` of `upstream_unreachable`. */
export type UnreachableReason = 'dns' | 'refused' | 'timeout' | 'no_route' | 'reset' | TlsReason | 'closed' | 'aborted' | 'other';

/** OpenSSL's verdicts on a certificate (X509_verify_cert_error_string) and Node's own. */
const TLS: Readonly<Record<string, TlsReason>> = {
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_wrong_host',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'tls_wrong_host',
  HOSTNAME_MISMATCH: 'tls_wrong_host',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_unknown_authority',
  CERT_UNTRUSTED: 'tls_unknown_authority',
  CERT_REJECTED: 'tls_unknown_authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_self_signed',
  // One certificate came, and none that signed it is known: the server left some out, or its authority is not trusted.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_broken_chain',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_broken_chain',
  CERT_SIGNATURE_FAILURE: 'tls_broken_chain',
  CERT_CHAIN_TOO_LONG: 'tls_broken_chain',
  INVALID_CA: 'tls_broken_chain',
  INVALID_PURPOSE: 'tls_broken_chain',
  PATH_LENGTH_EXCEEDED: 'tls_broken_chain',
  EPROTO: 'tls_protocol',
};

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
  const reason = isUnfinishedHandshake(text, String(message)) ? 'tls_protocol' : reasonOf(text);
  return answerStarted && reason === 'reset' ? invalidAnswer('truncated') : new Refusal('upstream_unreachable', { reason });
}

function reasonOf(code: string): UnreachableReason {
  return UNREACHABLE[code] ?? TLS[code] ?? (code.startsWith('ERR_SSL_') ? 'tls_protocol' : 'other');
}

/** Node reports a server that hangs up on the handshake as a reset that differs by its words only. */
function isUnfinishedHandshake(code: string, message: string): boolean {
  return code === 'ECONNRESET' && message.includes('before secure TLS connection was established');
}

/** undici reports an unasked 100 or 101 as a socket error that differs from a reset by its words only. */
function isUnasked(code: string, message: string): boolean {
  return code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)/.test(message);
}
