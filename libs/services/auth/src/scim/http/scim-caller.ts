import { Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { tokenDigest } from '../../tokens/token-text.js';

/** Whose token a directory shows. */
export interface ScimCaller {
  tokenId: string;
  callerId: string;
  name: string;
}

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

/**
 * Who calls: the owner, active, of a personal access token with the scope `scim` that is neither
 * expired nor revoked. Everything else is one `unauthenticated`, after the same work: what is wrong
 * with a token is nobody's business who cannot use it.
 */
export async function scimCaller(db: Database, authorization: string | undefined, nowMs: number): Promise<ScimCaller> {
  const text = BEARER.exec(authorization ?? '')?.[1] ?? '';
  const [caller] = await db.query<ScimCaller>(
    `SELECT t.id AS "tokenId", p.id AS "callerId", p.name FROM tokens t JOIN people p ON p.id = t.person_id
      WHERE t.digest = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) AND 'scim' = ANY (t.scopes) AND p.status = 'active'`,
    [tokenDigest(Buffer.from(text)), nowMs],
  );
  if (caller === undefined) throw new Refusal('unauthenticated');
  return caller;
}
