import type { serverContracts } from '@gatehouse/contracts';
import { timeText } from './output/print.js';
import { fieldList } from './output/table.js';
import { healthText } from './probe-watch.js';
import { narration } from './sign-in-steps.js';
import type { Surroundings } from './surroundings.js';

type Server = serverContracts.Server;

/** One server, and above it how to sign in there was found out. */
export function serverDetails(surroundings: Surroundings, server: Server): string {
  return `${narration(server)}${fieldList({ ...what(surroundings, server), ...access(server), ...rest(server) })}`;
}

function what({ url }: Surroundings, server: Server) {
  return {
    name: server.name,
    id: server.id,
    endpoint: `${url.replace(/\/$/, '')}/mcp/${server.name}`,
    forwards: server.url,
    state: server.state,
    health: healthText(server),
    checked: timeText(server.health.checkedAt),
    tools: server.tools,
    resources: server.resources,
    prompts: server.prompts,
  };
}

function access({ auth, health, identityMode, preset, oauth, headers, secretHeaders, signCalls, forwardHeaders }: Server) {
  return {
    'sign-in': health.verdict === null ? auth : `${auth}: ${health.verdict}`,
    identity: identityMode,
    preset,
    oauth: Object.entries(oauth).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' '),
    headers: headers.map(([name, value]) => `${name}=${value}`).join(', '),
    'secret headers': secretHeaders.join(', '),
    'signed calls': signCalls ? 'yes' : 'no',
    'forwarded headers': forwardHeaders.join(', '),
  };
}

function rest(server: Server) {
  const transport = server.transport === 'auto' && server.health.transport !== null ? `auto: ${server.health.transport}` : server.transport;
  return {
    transport: server.stateless ? `${transport}, stateless (POST only)` : transport,
    'trusted certificates': server.caCertificates.map(({ subject, expiresAt }) => `${subject} until ${timeText(expiresAt) ?? ''}`).join('; '),
    'private network': server.allowPrivateNetwork ? 'allowed' : 'refused',
    'debug until': timeText(server.debugUntil),
    created: timeText(server.createdAt),
  };
}
