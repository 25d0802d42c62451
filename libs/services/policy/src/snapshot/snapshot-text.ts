import type { policyContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { readPresetBook, type PresetBook } from '../presets/preset-book.js';
import { accessOf, type AccessRow } from '../servers/server-access.js';
import { snapshotState, type SnapshotState } from './snapshot-changes.js';

/**
 * Fingerprints that travel for one server: an upstream chooses how many tools it lists and how they are called, and
 * must not make the snapshot of all others grow. Tools beyond can be called; their records lack the fingerprint.
 */
const MAX_TOOLS = 2_000;
const MAX_TOOL_NAME_CHARS = 256;

interface ServerRow extends AccessRow {
  id: string;
  name: string;
  stateless: boolean;
  allow_private_network: boolean;
  ca_certificate: string | null;
  state: 'running' | 'stopped';
  restarts: number;
  headers: [string, string][];
  sign_calls: boolean;
  forward_headers: string[];
  debug_until: string | null;
}

interface ToolRow {
  server_id: string;
  name: string;
  fingerprint: string;
}

type SnapshotServer = policyContracts.SnapshotServer;

const SERVERS = 'SELECT * FROM servers ORDER BY name COLLATE "C"';
const TOOLS = `
  SELECT server_id, name, fingerprint FROM (
    SELECT *, row_number() OVER (PARTITION BY server_id ORDER BY name COLLATE "C") AS place
    FROM server_items WHERE kind = 'tool' AND char_length(name) <= ${MAX_TOOL_NAME_CHARS}
  ) AS tools WHERE place <= ${MAX_TOOLS} ORDER BY server_id, place`;
const POLICIES = 'SELECT name, version, text FROM policies ORDER BY name COLLATE "C"';

function byServer(rows: readonly ToolRow[]): Map<string, ToolRow[]> {
  const groups = new Map<string, ToolRow[]>();
  for (const row of rows) {
    const group = groups.get(row.server_id);
    if (group === undefined) groups.set(row.server_id, [row]);
    else group.push(row);
  }
  return groups;
}

function serverOf(row: ServerRow, tools: readonly ToolRow[], book: PresetBook): SnapshotServer {
  const { transport, auth, identityMode, oauth } = accessOf(row, book);
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    stateless: row.stateless,
    allowPrivateNetwork: row.allow_private_network,
    caCertificate: row.ca_certificate,
    state: row.state,
    transport,
    auth,
    grant: auth === 'oauth' ? (oauth.grant ?? null) : null,
    signCalls: row.sign_calls,
    forwardHeaders: row.forward_headers,
    debugUntil: row.debug_until === null ? null : Number(row.debug_until),
    restarts: row.restarts,
    identityMode,
    headers: row.headers,
    tools: Object.fromEntries(tools.map(({ name, fingerprint }) => [name, fingerprint])),
  };
}

/** The state and the text of the newest snapshot; all replicas make the same text of the same version. */
export async function readSnapshot(tx: Transaction): Promise<{ state: SnapshotState; text: string }> {
  // One view of all tables, or a change between two statements would end up half in the text.
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const state = await snapshotState(tx);
  const tools = byServer(await tx.query<ToolRow>(TOOLS));
  const book = await readPresetBook(tx);
  const servers = (await tx.query<ServerRow>(SERVERS)).map((row) => serverOf(row, tools.get(row.id) ?? [], book));
  const policies = await tx.query<{ name: string; version: number; text: string }>(POLICIES);
  const { epoch, version, changedAt } = state;
  const snapshot: policyContracts.PolicySnapshot = { epoch, version, issuedAt: changedAt, servers, policies };
  return { state, text: JSON.stringify(snapshot) };
}
