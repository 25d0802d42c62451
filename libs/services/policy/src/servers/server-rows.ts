import type { policyContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { describeCertificates } from './ca-certificate.js';

type Server = policyContracts.Server;

interface ServerRow {
  id: string;
  name: string;
  url: string;
  stateless: boolean;
  allow_private_network: boolean;
  ca_certificate: string | null;
  state: Server['state'];
  identity_mode: Server['identityMode'];
  identity_id: string | null;
  headers: [string, string][];
  secret_headers: string[];
  health: Server['health'];
  tools: string;
  resources: string;
  prompts: string;
  created_at: string;
  revision: number;
}

/** Health of a server that was never looked at. */
export const UNKNOWN_HEALTH: Server['health'] = {
  status: 'unknown',
  failure: null,
  detail: null,
  checkedAt: null,
  protocolVersion: null,
  serverInfo: null,
  transport: null,
  steps: [],
  verdict: null,
  advice: null,
};

const count = (...kinds: string[]): string =>
  `(SELECT count(*) FROM server_items WHERE server_id = servers.id AND kind IN (${kinds.map((kind) => `'${kind}'`).join(', ')}))`;

const SELECT = `SELECT servers.*, ${count('tool')} AS tools, ${count('resource', 'resourceTemplate')} AS resources, ${count('prompt')} AS prompts FROM servers`;

function serverOf(row: ServerRow): Server {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    transport: 'streamable-http',
    auth: 'auto',
    oauth: {},
    preset: null,
    signCalls: false,
    forwardHeaders: [],
    debugUntil: null,
    stateless: row.stateless,
    allowPrivateNetwork: row.allow_private_network,
    caCertificates: describeCertificates(row.ca_certificate),
    state: row.state,
    identityMode: row.identity_mode,
    identityId: row.identity_id,
    headers: row.headers,
    secretHeaders: row.secret_headers,
    health: row.health,
    tools: Number(row.tools),
    resources: Number(row.resources),
    prompts: Number(row.prompts),
    createdAt: Number(row.created_at),
    revision: row.revision,
  };
}

/** All servers, by name. */
export async function readServers(db: Transaction): Promise<Server[]> {
  return (await db.query<ServerRow>(`${SELECT} ORDER BY name COLLATE "C"`)).map(serverOf);
}

/** One server; refuses with `unknown_server`. */
export async function readServer(db: Transaction, name: string): Promise<Server> {
  const [row] = await db.query<ServerRow>(`${SELECT} WHERE name = $1`, [name]);
  if (row === undefined) throw new Refusal('unknown_server', { server: name });
  return serverOf(row);
}

/** What a server offers, of one kind or all, in the order it lists them. */
export async function readItems(db: Transaction, serverId: string, kind: string | null): Promise<policyContracts.ObservedItem[]> {
  const sql = 'SELECT kind, name, title, description, fingerprint FROM server_items WHERE server_id = $1 AND ($2::text IS NULL OR kind = $2) ORDER BY position';
  return (await db.query<policyContracts.ObservedItem>(sql, [serverId, kind])).map((row) => ({ ...row }));
}
