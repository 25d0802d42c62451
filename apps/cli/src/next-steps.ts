import type { ErrorCode } from '@gatehouse/kernel';

/** What to do about a refusal, where there is something to do: shown under the sentence of the error table. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'gatehouse login, or set GATEHOUSE_TOKEN to a personal access token',
  insufficient_scope: 'use a token that has it: nobody can give a scope that their own token lacks; gatehouse whoami shows the scopes of yours',
  capability_missing: 'ask an administrator, or use an administrator\'s token; gatehouse whoami shows your roles',
  not_found: 'list what there is with the noun\'s list verb',
  unknown_server: 'gatehouse server list',
  conflict: 'choose another name, or look at what is there first',
  invalid_policy: 'correct the text at the place named above; nothing was changed',
  url_refused: 'for a server in your own network add --allow-private-network',
  certificate_refused: 'give PEM certificates that are still valid, without any key: -----BEGIN CERTIFICATE-----',
  header_refused: 'leave this header out: it belongs to the connection or to the gateway',
  policy_denied: 'gatehouse audit query --decision deny --limit 1 shows why; gatehouse policy list shows what is permitted',
  policy_evaluation_failed: 'gatehouse audit query --decision deny --limit 1 names the policy; correct it with gatehouse policy apply',
  server_stopped: 'gatehouse server start NAME',
  precondition_failed: 'somebody changed it meanwhile: look at it, then try again',
  credential_missing: 'gatehouse server set NAME --secret-header … for everybody, or gatehouse connect NAME for yourself',
  credential_unbound: 'it was made for another address: gatehouse server set NAME --secret-header … or gatehouse connect NAME',
  identity_missing: 'gatehouse connect NAME; gatehouse identity explain NAME says what a call would carry',
  identity_dead: 'gatehouse connect NAME connects it again; gatehouse identity list says why',
  upstream_unreachable: 'gatehouse server probe NAME',
  upstream_refused: 'gatehouse server probe NAME',
  upstream_invalid: 'gatehouse server probe NAME',
  upstream_timeout: 'gatehouse server probe NAME',
  bad_params: 'gatehouse server tools NAME -o json shows what the tool takes',
};

/** What to do when a probe failed, by failure class. */
export const PROBE_ADVICE = {
  dns: 'check the host name in the URL',
  refused: 'nothing listens at that address: start the server, or correct the port',
  timeout: 'the server did not answer in time: check that it can be reached from where the gateway runs',
  tls_expired: 'have the certificate of the server renewed',
  tls_not_yet_valid: 'check the clocks of the server and of the gateway',
  tls_wrong_host: 'use the host name that the certificate is for, or have it issued for this one',
  tls_unknown_authority: 'for an authority of your own: gatehouse server set NAME --ca-file FILE',
  tls_self_signed: 'gatehouse server set NAME --ca-file FILE with that certificate, if it is the right one',
  tls_broken_chain: 'have the server send its whole chain; for an authority of your own: gatehouse server set NAME --ca-file FILE',
  tls_protocol: 'check that what listens there speaks TLS',
  unauthenticated: 'the server wants a credential: gatehouse server set NAME --secret-header …, or gatehouse connect NAME',
  url_refused: 'the address may not be reached: for a server in your own network: gatehouse server set NAME --allow-private-network',
  credential: 'the stored credential could not be used: gatehouse server set NAME --secret-header …, or gatehouse connect NAME',
  not_mcp: 'something answers there, but not MCP: check the path of the URL (often /mcp)',
  protocol: 'the server answers MCP in a way that is not valid: look at the detail above',
  upstream_error: 'the server answered with an error: look at its own log',
} as const;

/** Reasons of `url_refused` that the allowance for private networks lifts; the others nothing lifts. */
const LIFTED_BY_ALLOWANCE = new Set(['private_address', 'http_needs_private_network']);

/** What to do where a refusal says more closely why. */
const NEXT_BY_REASON: Readonly<Record<string, string>> = {
  in_use: 'somebody still has it: gatehouse person list, gatehouse team list, gatehouse service-account list',
  built_in: 'built-in roles never change: gatehouse role set makes one of your own',
  last_administrator: 'make somebody else administrator first: gatehouse person update WHO --role administrator',
  set_by_environment: 'the environment of the gateway sets it: change it there',
  rotated_meanwhile: 'look at the keys first: gatehouse signing-key list',
};

/** The next step for a code of the error table, or undefined; `reason` is the one of its details. */
export function nextStep(code: string | undefined, reason?: unknown): string | undefined {
  if (code === 'url_refused' && reason !== undefined && !LIFTED_BY_ALLOWANCE.has(String(reason))) return undefined;
  if (code === 'conflict' && typeof reason === 'string' && Object.hasOwn(NEXT_BY_REASON, reason)) return NEXT_BY_REASON[reason];
  return code !== undefined && Object.hasOwn(NEXT, code) ? NEXT[code as ErrorCode] : undefined;
}
