import type { serverContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { TlsReason } from '@gatehouse/outbound';
import type { z } from 'zod';

type FailureClass = z.output<typeof serverContracts.failureClass>;

/** What is wrong with a TLS connection, and the fix. */
const TLS_SENTENCES: Readonly<Record<TlsReason, string>> = {
  tls_expired: 'The TLS certificate has expired: have it renewed.',
  tls_not_yet_valid: 'The TLS certificate is not valid yet: check the clocks of the server and of the gateway.',
  tls_wrong_host: 'The TLS certificate is for another host name: use a name that it holds in the URL, or have it issued for this one.',
  tls_unknown_authority: 'The TLS certificate is from an authority that is not known here: give that authority with --ca-file.',
  tls_self_signed: 'The TLS certificate is signed by nobody but itself: give that certificate with --ca-file, or have one issued by an authority.',
  tls_broken_chain: 'The TLS certificate came without those that lead from it to a known authority: have the server send its whole chain, or give its authority with --ca-file.',
  tls_protocol: 'No TLS connection could be agreed on: check that what listens there speaks TLS of a current version.',
};

const SENTENCES: Readonly<Record<FailureClass, string>> = {
  ...TLS_SENTENCES,
  dns: 'The host name does not resolve: check the URL.',
  refused: 'Nothing listens at that address, or the connection was dropped.',
  timeout: 'The server did not answer in time.',
  unauthenticated: 'The server wants a credential, or refused the one it was given.',
  url_refused: 'The address may not be reached: a private address needs --allow-private-network.',
  credential: 'The credential for this server could not be had from the vault.',
  not_mcp: 'There is no MCP endpoint at that path.',
  protocol: 'What the server answered is not valid MCP of a supported version.',
  upstream_error: 'The server answered with an error.',
};

const BY_CODE: Readonly<Record<string, FailureClass>> = {
  upstream_timeout: 'timeout',
  url_refused: 'url_refused',
  vault_unavailable: 'credential',
  credential_missing: 'credential',
  credential_unbound: 'credential',
  credential_expired: 'credential',
  identity_dead: 'unauthenticated',
};
const UNREACHABLE: Readonly<Record<string, FailureClass>> = { dns: 'dns', timeout: 'timeout' };
const NOT_THERE = new Set([404, 405, 406]);

/** Why a probe failed, as a class programs act on and a sentence people act on; nothing of what the upstream said. */
export function failureOfProbe(error: unknown): { failure: FailureClass; detail: string } {
  const failure = error instanceof Refusal ? classOf(error) : 'upstream_error';
  return { failure, detail: SENTENCES[failure] };
}

function classOf({ code, details }: Refusal): FailureClass {
  const reason = String(details['reason'] ?? '');
  if (code === 'upstream_unreachable') return isTls(reason) ? reason : (UNREACHABLE[reason] ?? 'refused');
  if (code === 'upstream_refused') return ofStatus(Number(details['status'] ?? 0));
  return BY_CODE[code] ?? (reason === 'content_type' ? 'not_mcp' : 'protocol');
}

function isTls(reason: string): reason is TlsReason {
  return Object.hasOwn(TLS_SENTENCES, reason);
}

function ofStatus(status: number): FailureClass {
  if (status === 401 || status === 403) return 'unauthenticated';
  return NOT_THERE.has(status) ? 'not_mcp' : 'upstream_error';
}
