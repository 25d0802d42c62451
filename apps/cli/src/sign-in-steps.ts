import type { serverContracts, upstreamContracts } from '@gatehouse/contracts';
import { gatewayPath } from './gateway-url.js';
import { cellText } from './output/table.js';
import { adviceFor } from './probe-watch.js';
import type { Surroundings } from './surroundings.js';

type Server = serverContracts.Server;
type Step = upstreamContracts.AuthStep;

const MARK: Record<Step['outcome'], string> = { ok: '✓', failed: '✗', skipped: '–' };

const WHAT: Record<Step['step'], string> = {
  request: 'asked the server',
  resource_metadata: 'resource metadata',
  authorization_server: 'authorization server',
  registration: 'client',
  sign_in: 'sign-in',
};

/** What finding out how to sign in met, one line for each hop; empty when nothing was to find out. */
export function narration({ health }: Server): string {
  return health.steps.map((step) => `${stepLine(step)}\n`).join('');
}

function stepLine({ step, outcome, url, detail }: Step): string {
  const where = url === null || detail.includes(url) ? '' : ` (${url})`;
  return cellText(`${MARK[outcome]} ${WHAT[step]}: ${detail}${where}`);
}

/** What is to be done before calls can succeed, one thing a line with the command for it; undefined when nothing is. */
export function nextFor(server: Server, surroundings: Surroundings): string | undefined {
  const { advice, verdict, status } = server.health;
  if (status === 'healthy') return undefined;
  const commands = verdict === null ? [] : BY_VERDICT[verdict](server, surroundings);
  const lines = [...(advice === null ? [] : [cellText(advice)]), ...commands];
  return lines.length === 0 ? adviceFor(server) : lines.join('\n      ');
}

/** Whether accounts are connected by people; with the other grants they are made without. */
export function needsPerson({ oauth }: Server): boolean {
  return (oauth.grant ?? 'authorization_code') === 'authorization_code';
}

const BY_VERDICT: Record<upstreamContracts.AuthVerdict, (server: Server, surroundings: Surroundings) => string[]> = {
  open: () => [],
  failed: () => [],
  sign_in: (server) => [needsPerson(server) ? `gatehouse connect ${server.name}${server.identityMode === 'global' ? ' --global' : ''}` : `nobody has to connect an account: the first call makes it (gatehouse server tools ${server.name})`],
  client: ({ name, health }, surroundings) => [
    ...(health.advice?.includes('/oauth/callback') === true ? [] : [`make a client at the provider with this callback address: ${gatewayPath(surroundings, '/oauth/callback').href}`]),
    `gatehouse server set ${name} --oauth-client-id ID --oauth-client-secret-file FILE`,
  ],
  header: ({ name, identityMode }) => [
    ...(identityMode === 'global' ? [] : [`a token of your own: gatehouse connect ${name}`]),
    ...(identityMode === 'private-required' ? [] : [`one for everybody: gatehouse connect ${name} --global`]),
  ],
};
