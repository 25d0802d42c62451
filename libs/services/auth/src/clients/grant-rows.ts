import type { clientContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Grant = clientContracts.Grant;

interface Row extends Pick<Grant, 'id' | 'callerId' | 'callerName' | 'clientId'> {
  clientName: string | null;
  payload: { resources?: Record<string, string>; openid?: { scope?: string } };
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string;
}

const SELECT = `
  SELECT a.grant_id AS id, a.account_id AS "callerId", p.name AS "callerName", a.client_id AS "clientId", c.name AS "clientName", a.payload,
         a.created_at AS "createdAt", a.used_at AS "lastUsedAt", a.expires_at AS "expiresAt"
    FROM artefacts a JOIN people p ON p.id = a.account_id LEFT JOIN clients c ON c.id = a.client_id
   WHERE a.model = 'Grant' AND a.expires_at > $1`;

/** Grants of one caller, or of all (null), that are not over; the earliest first. */
export async function liveGrants(db: Transaction, callerId: string | null, nowMs: number): Promise<Grant[]> {
  const sql = `${SELECT} AND ($2::text IS NULL OR a.account_id = $2) ORDER BY a.created_at, a.grant_id`;
  return (await db.query<Row>(sql, [nowMs, callerId])).map(asGrant);
}

/** Whether there is such a grant; with `ownedBy` only if it is that caller's. */
export async function isLiveGrant(tx: Transaction, id: string, ownedBy: string | null, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM artefacts WHERE model = 'Grant' AND grant_id = $1 AND expires_at > $3 AND ($2::text IS NULL OR account_id = $2)`,
    [id, ownedBy, nowMs],
  );
  return rows.length > 0;
}

function asGrant({ payload, clientName, ...row }: Row): Grant {
  const resources = payload.resources ?? {};
  const scopes = [payload.openid?.scope, ...Object.values(resources)].flatMap((text) => text?.split(' ') ?? []).filter((scope) => scope !== '');
  return {
    ...row,
    clientName: clientName ?? row.clientId,
    resources: Object.keys(resources),
    scopes: [...new Set(scopes)],
    createdAt: Number(row.createdAt),
    lastUsedAt: row.lastUsedAt === null ? null : Number(row.lastUsedAt),
    expiresAt: Number(row.expiresAt),
  };
}
