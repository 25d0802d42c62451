import type { directoryContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

/** The identities that edges choose from: the organisation's and those of people who may come in, by id. */
export function identitiesOfDirectory(tx: Transaction): Promise<directoryContracts.Directory['identities']> {
  return tx.query(
    `SELECT i.id, i.server_id AS "serverId", i.owner, i.name, i.method, i.status, i.preferred
       FROM identities i LEFT JOIN people p ON p.id = i.owner
      WHERE NOT i.hidden AND (i.owner = 'global' OR p.status = 'active') ORDER BY i.id`,
  );
}
