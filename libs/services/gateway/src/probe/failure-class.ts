import { Refusal } from '@gatehouse/kernel';

type FailureClass =
  | 'dns'
  | 'refused'
  | 'timeout'
  | 'tls'
  | 'unauthenticated'
  | 'url_refused'
  | 'credential'
  | 'not_mcp'
  | 'protocol'
  | 'upstream_error';

const SENTENCES: Readonly<Record<FailureClass, string>> = {
  dns: 'The host name does not resolve: check the URL.',
  refused: 'Nothing listens at that address, or the connection was dropped.',
  timeout: 'The server did not answer in time.',
  tls: 'The TLS certificate was not accepted: expired, for another host, or from an unknown authority.',
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
  if (code === 'upstream_unreachable') return reason.startsWith('tls') ? 'tls' : (UNREACHABLE[reason] ?? 'refused');
  if (code === 'upstream_refused') return ofStatus(Number(details['status'] ?? 0));
  return BY_CODE[code] ?? (reason === 'content_type' ? 'not_mcp' : 'protocol');
}

function ofStatus(status: number): FailureClass {
  if (status === 401 || status === 403) return 'unauthenticated';
  return NOT_THERE.has(status) ? 'not_mcp' : 'upstream_error';
}
