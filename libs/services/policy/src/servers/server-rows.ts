import type { serverContracts, upstreamContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { readPresetBook, type PresetBook } from '../presets/preset-book.js';
import { describeCertificates } from './ca-certificate.js';
import { accessOf, type AccessRow } from './server-access.js';

type Server = serverContracts.Server;

interface ServerRow extends AccessRow {
  id: string;
  name: string;
  stateless: boolean;
  allow_private_network: boolean;
  ca_certificate: string | null;
  state: Server['state'];
  headers: [string, string][];
  secret_headers: string[];
  health: Server['health'];
  sign_calls: boolean;
  forward_headers: string[];
  debug_until: string | null;
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

function serverOf(row: ServerRow, book: PresetBook): Server {
  const { identityMode, preset } = accessOf(row, book);
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    transport: row.transport,
    auth: row.auth,
    oauth: row.oauth,
    preset: preset?.name ?? null,
    signCalls: row.sign_calls,
    forwardHeaders: row.forward_headers,
    debugUntil: row.debug_until === null ? null : Number(row.debug_until),
    stateless: row.stateless,
    allowPrivateNetwork: row.allow_private_network,
    caCertificates: describeCertificates(row.ca_certificate),
    state: row.state,
    identityMode,
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
  const book = await readPresetBook(db);
  return (await db.query<ServerRow>(`${SELECT} ORDER BY name COLLATE "C"`)).map((row) => serverOf(row, book));
}

/** One server; refuses with `unknown_server`. */
export async function readServer(db: Transaction, name: string): Promise<Server> {
  const [row] = await db.query<ServerRow>(`${SELECT} WHERE name = $1`, [name]);
  if (row === undefined) throw new Refusal('unknown_server', { server: name });
  return serverOf(row, await readPresetBook(db));
}

/** A server by id or name as auth needs to know it; null when there is none. */
export async function readUpstream(db: Transaction, idOrName: string): Promise<upstreamContracts.UpstreamServer | null> {
  const [row] = await db.query<ServerRow>('SELECT * FROM servers WHERE id = $1 OR name = $1', [idOrName]);
  if (row === undefined) return null;
  const { auth, identityMode, oauth, preset } = accessOf(row, await readPresetBook(db));
  const { id, name, url, state, allow_private_network: allowPrivateNetwork, ca_certificate: caCertificate } = row;
  const secretHeaders = secretHeadersOf(row, preset);
  return { id, name, url, allowPrivateNetwork, caCertificate, state, auth, identityMode, secretHeaders, oauth, preset };
}

/** Where no names were set, whoever pastes a token pastes it for the provider's usual header. */
function secretHeadersOf({ secret_headers: names }: ServerRow, preset: upstreamContracts.Preset | null): string[] {
  return names.length > 0 ? names : [preset?.header?.name ?? 'Authorization'];
}

/** What a server offers, of one kind or all, in the order it lists them. */
export async function readItems(db: Transaction, serverId: string, kind: string | null): Promise<serverContracts.ObservedItem[]> {
  const sql = 'SELECT kind, name, title, description, fingerprint FROM server_items WHERE server_id = $1 AND ($2::text IS NULL OR kind = $2) ORDER BY position';
  return (await db.query<serverContracts.ObservedItem>(sql, [serverId, kind])).map((row) => ({ ...row }));
}
