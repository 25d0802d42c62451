import type { directoryContracts, SnapshotVersion } from '@gatehouse/contracts';
import type { Database, Transaction } from '@gatehouse/persistence';
import { identitiesOfDirectory } from '../identities/directory-identities.js';
import { EFFECTIVE, EFFECTIVE_OF_P } from '../people/effective-access.js';
import { capabilitiesOfRoles, customRoles } from '../roles/role-capabilities.js';
import { issuersOfDirectory } from '../token-issuers/token-issuer-rows.js';
import { directoryVersion } from './directory-changes.js';

type Directory = directoryContracts.Directory;

/** What the directory tells at one version, before it is signed. */
export type DirectoryRows = SnapshotVersion & Pick<Directory, 'callers' | 'tokens' | 'keys' | 'denied' | 'issuers' | 'identities'>;

/**
 * Everything that edges know callers by, as one view of the data: the version always belongs to the
 * rows beside it. In the order of ids, so that every replica writes the same text.
 */
export function readDirectory(db: Database): Promise<DirectoryRows> {
  return db.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const version = await directoryVersion(tx);
    const callers = await readCallers(tx);
    const tokens = await readTokens(tx);
    const keys = await readKeys(tx);
    const denied = await readDenied(tx);
    return { ...version, callers, tokens, keys, denied, issuers: await issuersOfDirectory(tx), identities: await identitiesOfDirectory(tx) };
  });
}

async function readCallers(tx: Transaction): Promise<Directory['callers']> {
  const custom = await customRoles(tx);
  const rows = await tx.query<Omit<Directory['callers'][number], 'capabilities'>>(
    `WITH ${EFFECTIVE}
     SELECT p.id, p.kind, p.name, p.email, coalesce(r.roles, '{}') AS roles, coalesce(t.teams, '{}') AS teams
       FROM people p ${EFFECTIVE_OF_P} WHERE p.status = 'active' ORDER BY p.id`,
  );
  return rows.map((row) => ({ ...row, capabilities: capabilitiesOfRoles(row.roles, custom) }));
}

async function readTokens(tx: Transaction): Promise<Directory['tokens']> {
  const rows = await tx.query<Omit<Directory['tokens'][number], 'expiresAt'> & { expiresAt: string | null }>(
    `SELECT t.id, t.digest, t.person_id AS "callerId", t.scopes, t.expires_at AS "expiresAt"
       FROM tokens t JOIN people p ON p.id = t.person_id
      WHERE t.revoked_at IS NULL AND p.status = 'active' ORDER BY t.id`,
  );
  return rows.map((row) => ({ ...row, expiresAt: row.expiresAt === null ? null : Number(row.expiresAt) }));
}

/** Keys of every state: the next one so that a rotation refuses nobody, a retired one until the last token of it is over. */
function readKeys(tx: Transaction): Promise<Directory['keys']> {
  return tx.query('SELECT id, public_jwk AS jwk FROM signing_keys ORDER BY id');
}

async function readDenied(tx: Transaction): Promise<Directory['denied']> {
  const rows = await tx.query<{ id: string; until: string }>('SELECT id, until FROM denied ORDER BY id');
  return rows.map(({ id, until }) => ({ id, until: Number(until) }));
}
