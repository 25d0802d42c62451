import { setTimeout as sleep } from 'node:timers/promises';
import { linkIn, type Member } from '../identities/member.js';
import type { WireAnswer, WireClient } from '../wire/wire-client.js';
import { admin, eventually } from '../world/asking.js';
import type { World } from '../world/world.js';
import { employeeOf } from './employee.js';

/** What the suite hands to a client. */
export interface Job {
  url: string;
  scenario: string;
  context: Readonly<Record<string, string>>;
}

const CONNECTED_WITHIN_MS = 5_000;
const ASK_MS = 50;
const SETTLED_MS = 1_200;
const KNOWN_WITHIN_MS = 15_000;
/** How often a person follows a link that one call answers with before giving up. */
const LINKS_FOLLOWED = 2;

let jobs = 0;

/**
 * Does what a client is to do with the suite's server, through Gatehouse: registers it, connects an
 * account by the link wherever one is offered, and calls every tool. Throws what a client would.
 */
export async function playThroughGatehouse(world: World, member: Member, job: Job): Promise<string> {
  const { idp_client_id: client, idp_id_token: idToken, idp_token_endpoint: endpoint } = job.context;
  if (client === undefined || idToken === undefined || endpoint === undefined) return play(world, member, job);
  const employee = await employeeOf(world, { idp_client_id: client, idp_id_token: idToken, idp_token_endpoint: endpoint });
  return play(world, employee.member, job).finally(() => employee.close());
}

async function play(world: World, member: Member, job: Job): Promise<string> {
  const name = `suite-${jobs++}`;
  const api = admin(world);
  await api.ok('POST', '/servers', { name, url: job.url, allowPrivateNetwork: true, auth: authOf(job) });
  const server = await eventually(async () => {
    const shown = await api.ok('GET', `/servers/${name}`);
    return shown.health.checkedAt === null ? undefined : shown;
  }, KNOWN_WITHIN_MS);
  if (server.health.verdict === 'failed') throw new Error(JSON.stringify(server.health.steps));
  const client = member.client(name);
  await connected(client, member);
  const { tools = [] } = resultOf(await followed(member, () => client.request('tools/list')));
  for (const tool of tools) await followed(member, () => client.call(tool.name, {}));
  return `${tools.length} tools called`;
}

/** How the server is signed in to, where the scenario gives a client that is known beforehand. */
function authOf({ scenario, context }: Job): object {
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = context;
  if (clientId === undefined) return { kind: 'auto' };
  const grant = grantOf(scenario);
  if (privateKey !== undefined) return { kind: 'oauth', ...grant, clientId, privateKey, clientAuthMethod: 'private_key_jwt' };
  const method = scenario.endsWith('-basic') || scenario.includes('enterprise') ? { clientAuthMethod: 'client_secret_basic' } : {};
  return { kind: 'oauth', ...grant, clientId, ...(clientSecret === undefined ? {} : { clientSecret }), ...method };
}

function grantOf(scenario: string): object {
  if (scenario.includes('client-credentials')) return { grant: 'client_credentials' };
  return scenario.includes('enterprise') ? { grant: 'id_jag' } : {};
}

/** Opens a session of the server's own, connecting an account when the edge has none to use. */
async function connected(client: WireClient, member: Member): Promise<void> {
  let isConnected = false;
  for (const until = Date.now() + CONNECTED_WITHIN_MS; ; await sleep(ASK_MS)) {
    const { messages } = await client.initialize();
    const link = linkIn(messages);
    if (link === undefined && messages[0]?.result !== undefined) break;
    if (link !== undefined && !isConnected) await followLink(member, link);
    isConnected ||= link !== undefined;
    // An edge learns of servers and accounts a moment after they are made.
    if (Date.now() > until) throw new Error(JSON.stringify(messages));
  }
  await client.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
}

/** Sends a request again as long as it is answered with a link, which is followed. */
async function followed(member: Member, send: () => Promise<WireAnswer>): Promise<WireAnswer> {
  for (let links = 0; ; links++) {
    const answer = await send();
    const link = linkIn(answer.messages);
    if (link === undefined || links === LINKS_FOLLOWED) return answer;
    await followLink(member, link);
    // A person is slower than the news that edges get of their account.
    await sleep(SETTLED_MS);
  }
}

async function followLink(member: Member, link: string): Promise<void> {
  const page = await member.follow(link);
  if (page.status >= 400) throw new Error(`${page.status} ${page.text}`);
}

function resultOf({ messages }: WireAnswer): any {
  const result = messages.find((message) => message.result !== undefined)?.result;
  if (result === undefined) throw new Error(JSON.stringify(messages));
  return result;
}
