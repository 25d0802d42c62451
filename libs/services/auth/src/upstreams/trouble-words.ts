import { Refusal } from '@gatehouse/kernel';

/** Words for what kept a request of ours from being answered; the fix is named where there is one. */
const REASONS: Readonly<Record<string, string>> = {
  dns: 'its host name is not known',
  refused: 'the connection was refused',
  timeout: 'it did not answer in time',
  aborted: 'it did not answer in time',
  no_route: 'there is no way to it from here',
  reset: 'the connection broke',
  tls_expired: 'its certificate has expired; its operator must renew it',
  tls_not_yet_valid: 'its certificate is not valid yet; check the clocks on both sides',
  tls_wrong_host: 'its certificate is for another host name; check the address',
  tls_unknown_authority: 'its certificate was issued by an authority that is not known here; add that authority to the server',
  tls_self_signed: 'its certificate is self-signed; add it to the server if you trust it',
  tls_broken_chain: 'its certificate chain is incomplete; its operator must send the intermediate certificates',
  tls_protocol: 'it does not speak TLS as expected',
  http_needs_private_network: 'it is not encrypted, which is accepted in private networks only',
  private_address: 'it is in a private network, which this server may not lead to',
  blocked_address: 'its address is one that is never reached from Gatehouse',
  metadata_address: 'its address is one that is never reached from Gatehouse',
  own_port: 'its address is Gatehouse’s own',
  redirect: 'it sends on to another address, which is not followed',
  not_json: 'it answered with something else than JSON',
  status: 'it answered with an error',
};

const CODES: Readonly<Record<string, string>> = {
  url_refused: 'this is no address that may be reached from Gatehouse',
  upstream_timeout: 'it did not answer in time',
  upstream_too_large: 'its answer is larger than accepted',
  upstream_invalid: 'its answer is not valid',
  upstream_unreachable: 'it could not be reached',
};

/** Why a request was not answered, as half a sentence that begins with a small letter. */
export function troubleWords(error: unknown): string {
  const refusal = refusalWithin(error);
  if (refusal === undefined) return 'its answer is not valid';
  const { reason, status } = refusal.details;
  if (reason === 'status' && typeof status === 'number') return `it answered with HTTP status ${status}`;
  return (typeof reason === 'string' ? REASONS[reason] : undefined) ?? CODES[refusal.code] ?? 'something went wrong inside Gatehouse';
}

const MAX_DEPTH = 5;

/** The refusal that an error is or was caused by. */
export function refusalWithin(error: unknown): Refusal | undefined {
  let next: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof next === 'object' && next !== null; depth++) {
    if (next instanceof Refusal) return next;
    next = (next as { cause?: unknown }).cause;
  }
  return undefined;
}
