import type { authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { capabilitiesOfRoles, customRoles, type CustomRoles } from '../roles/role-capabilities.js';
import { EFFECTIVE, EFFECTIVE_OF_P } from './effective-access.js';

type Person = authContracts.Person;

/** What a new person starts with; they are active. */
export type NewPersonRow = Pick<Person, 'id' | 'name' | 'email' | 'roles' | 'teams' | 'source' | 'createdAt'>;

/** What of a person can be changed by name. */
export type PersonValues = Pick<Person, 'name' | 'email' | 'roles' | 'teams'>;

type PersonRow = Omit<Person, 'createdAt' | 'lastSignInAt' | 'effective'> & {
  createdAt: string;
  lastSignInAt: string | null;
  effectiveRoles: string[];
  effectiveTeams: string[];
};

const SELECT = `WITH ${EFFECTIVE}
  SELECT p.id, p.name, p.email, p.roles, p.teams, p.status, p.source, p.created_at AS "createdAt", p.last_sign_in_at AS "lastSignInAt",
         coalesce(r.roles, '{}') AS "effectiveRoles", coalesce(t.teams, '{}') AS "effectiveTeams"
    FROM people p ${EFFECTIVE_OF_P} WHERE p.kind = 'person'`;

/** All people, the earliest first. */
export async function allPeople(db: Transaction): Promise<Person[]> {
  const custom = await customRoles(db);
  return (await db.query<PersonRow>(`${SELECT} ORDER BY p.created_at, p.id`)).map((row) => asPerson(row, custom));
}

/** One person, or undefined; a service account is none. */
export async function findPerson(db: Transaction, id: string): Promise<Person | undefined> {
  const [row] = await db.query<PersonRow>(`${SELECT} AND p.id = $1`, [id]);
  return row === undefined ? undefined : asPerson(row, await customRoles(db));
}

/** Adds a person; a taken e-mail address is refused with `conflict`. */
export async function insertPerson(tx: Transaction, person: NewPersonRow, builtIn = false): Promise<void> {
  const { id, name, email, roles, teams, source, createdAt } = person;
  await tx.query(
    `INSERT INTO people (id, name, email, roles, teams, status, source, built_in, created_at) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8)`,
    [id, name, email, roles, teams, source, builtIn, createdAt],
  );
}

/** Replaces what stands in a person's row; a taken e-mail address is refused with `conflict`. */
export async function updatePersonRow(tx: Transaction, id: string, { name, email, roles, teams }: PersonValues): Promise<void> {
  await tx.query('UPDATE people SET name = $2, email = $3, roles = $4, teams = $5 WHERE id = $1', [id, name, email, roles, teams]);
}

/** Whether a caller of any kind is active; undefined for nobody. */
export async function isActive(tx: Transaction, callerId: string): Promise<boolean | undefined> {
  const [row] = await tx.query<{ active: boolean }>(`SELECT status = 'active' AS active FROM people WHERE id = $1`, [callerId]);
  return row?.active;
}

/** Marks a person or service account as active or disabled. */
export async function markStatus(tx: Transaction, id: string, status: Person['status']): Promise<void> {
  await tx.query('UPDATE people SET status = $2 WHERE id = $1', [id, status]);
}

/** The built-in administrator's id, or undefined before the first start. */
export async function builtInAdministrator(tx: Transaction): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>('SELECT id FROM people WHERE built_in');
  return row?.id;
}

function asPerson({ effectiveRoles: roles, effectiveTeams: teams, ...row }: PersonRow, custom: CustomRoles): Person {
  const { createdAt, lastSignInAt } = row;
  return {
    ...row,
    effective: { roles, teams, capabilities: capabilitiesOfRoles(roles, custom) },
    createdAt: Number(createdAt),
    lastSignInAt: lastSignInAt === null ? null : Number(lastSignInAt),
  };
}
