import { authContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';

type Person = authContracts.Person;

type PersonRow = Omit<Person, 'createdAt'> & { createdAt: string };

const COLUMNS = 'id, name, email, roles, teams, status, created_at AS "createdAt"';

/** All people, the earliest first. */
export async function allPeople(db: Transaction): Promise<Person[]> {
  return (await db.query<PersonRow>(`SELECT ${COLUMNS} FROM people ORDER BY created_at, id`)).map(asPerson);
}

/** One person, or undefined. */
export async function findPerson(db: Transaction, id: string): Promise<Person | undefined> {
  const [row] = await db.query<PersonRow>(`SELECT ${COLUMNS} FROM people WHERE id = $1`, [id]);
  return row === undefined ? undefined : asPerson(row);
}

/** Adds a person; a taken e-mail address is refused with `conflict`. */
export async function insertPerson(tx: Transaction, person: Person, builtIn = false): Promise<void> {
  const { id, name, email, roles, teams, status, createdAt } = person;
  await tx.query(
    `INSERT INTO people (id, name, email, roles, teams, status, built_in, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, name, email, roles, teams, status, builtIn, createdAt],
  );
}

/** Marks a person as disabled. */
export async function markDisabled(tx: Transaction, id: string): Promise<void> {
  await tx.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [id]);
}

/** Whether any active administrator is left besides this person. */
export async function otherAdministrator(tx: Transaction, id: string): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM people WHERE status = 'active' AND 'administrator' = ANY (roles) AND id <> $1) AS found`,
    [id],
  );
  return row?.found === true;
}

/** The built-in administrator's id, or undefined before the first start. */
export async function builtInAdministrator(tx: Transaction): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>('SELECT id FROM people WHERE built_in');
  return row?.id;
}

function asPerson(row: PersonRow): Person {
  return { ...row, createdAt: Number(row.createdAt) };
}
