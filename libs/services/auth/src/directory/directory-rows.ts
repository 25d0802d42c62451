import { authContracts, directoryContracts, type SnapshotVersion } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Directory = directoryContracts.Directory;
type Role = authContracts.RoleName;

/** What the directory tells at one version, before it is signed. */
export interface DirectoryRows extends SnapshotVersion {
  people: Directory['people'];
  tokens: Directory['tokens'];
}

interface Row {
  epoch: string;
  version: string;
  people: Omit<Directory['people'][number], 'capabilities'>[] | null;
  tokens: Directory['tokens'] | null;
}

// One statement is one view of the data: the version always belongs to the rows beside it.
const SQL = `
  SELECT s.epoch, s.version,
    (SELECT json_agg(json_build_object('id', id, 'name', name, 'email', email, 'roles', roles, 'teams', teams) ORDER BY id)
       FROM people WHERE status = 'active') AS people,
    (SELECT json_agg(json_build_object('id', t.id, 'digest', t.digest, 'personId', t.person_id, 'scopes', t.scopes,
                                       'expiresAt', t.expires_at) ORDER BY t.id)
       FROM tokens t JOIN people p ON p.id = t.person_id
      WHERE t.revoked_at IS NULL AND p.status = 'active') AS tokens
  FROM directory_state s`;

/** Active people and their tokens that are not revoked; in the order of ids, so that every replica writes the same text. */
export async function readDirectory(db: Transaction): Promise<DirectoryRows> {
  const { epoch, version, people, tokens } = (await db.query<Row>(SQL))[0]!;
  return {
    epoch,
    version: Number(version),
    people: (people ?? []).map((person) => ({ ...person, capabilities: capabilitiesOf(person.roles) })),
    tokens: tokens ?? [],
  };
}

/** What the roles together permit in the admin API, in the order of the contract; a role of a newer release gives nothing. */
export function capabilitiesOf(roles: readonly string[]): string[] {
  const known = roles.filter((role): role is Role => Object.hasOwn(authContracts.ROLES, role));
  const held = new Set<string>(known.flatMap((role) => [...authContracts.ROLES[role]]));
  return authContracts.CAPABILITIES.filter((capability) => held.has(capability));
}
