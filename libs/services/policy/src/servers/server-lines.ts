import type { serverContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Line = serverContracts.ServerLine;

/** Lines kept of each kind for one server: an upstream that fails all day does not push out who stopped it. */
const KEPT = 200;

const INSERT = 'INSERT INTO server_lines (server_id, at, kind, event, detail) VALUES ($1, $2, $3, $4, $5)';
const PRUNE = `
  DELETE FROM server_lines WHERE server_id = $1 AND kind = $2 AND seq <= (
    SELECT seq FROM server_lines WHERE server_id = $1 AND kind = $2 ORDER BY seq DESC OFFSET ${KEPT} LIMIT 1)`;
const AFTER = 'SELECT seq, at, kind, event, detail FROM server_lines WHERE server_id = $1 AND at >= $2 AND seq > $3 ORDER BY seq LIMIT $4';
const NEWEST = 'SELECT seq, at, kind, event, detail FROM server_lines WHERE server_id = $1 AND at >= $2 ORDER BY seq DESC LIMIT $3';

/** Which lines of a server are wanted. */
export interface LinesWanted {
  since: number;
  /** The first ones after this number; null for the newest. */
  after: number | null;
  limit: number;
}

/** Writes a line into a server's own log; the oldest of its kind makes room. */
export async function keepLine(tx: Transaction, serverId: string, line: Omit<Line, 'seq'>): Promise<void> {
  await tx.query(INSERT, [serverId, line.at, line.kind, line.event, line.detail]);
  await tx.query(PRUNE, [serverId, line.kind]);
}

/** Lines of a server, oldest first. */
export async function readLines(db: Transaction, serverId: string, { since, after, limit }: LinesWanted): Promise<Line[]> {
  const rows = after === null ? (await db.query<Line>(NEWEST, [serverId, since, limit])).reverse() : await db.query<Line>(AFTER, [serverId, since, after, limit]);
  return rows.map(({ seq, at, kind, event, detail }) => ({ seq: Number(seq), at: Number(at), kind, event, detail }));
}
