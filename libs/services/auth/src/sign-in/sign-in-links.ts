import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { digestOf, newBearer } from './bearer.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** Whom a link signs in. */
export interface LinkedPerson {
  personId: string;
  name: string;
}

/** How long a link can be used (ms). */
export const SIGN_IN_LINK_MS = 900_000;
const OF_TICKET = `ticket_hash = $1 AND l.expires_at > $2 AND p.id = l.person_id AND p.status = 'active' AND p.kind = 'person'`;

/**
 * Makes a link that signs a person in once, within fifteen minutes: for those who have no identity
 * provider. Returns the path to open, whose ticket is kept as its digest only. Refuses
 * with `not_found` for nobody, a service account or a disabled person.
 */
export async function createSignInLink(db: Transaction, personId: string, clock: Clock = systemClock): Promise<string> {
  const ticket = newBearer();
  await db.query('DELETE FROM sign_in_links WHERE expires_at <= $1', [clock.now()]);
  const made = await db.query(
    `INSERT INTO sign_in_links (ticket_hash, person_id, expires_at)
     SELECT $1, id, $3 FROM people WHERE id = $2 AND status = 'active' AND kind = 'person' RETURNING person_id`,
    [digestOf(ticket), personId, clock.now() + SIGN_IN_LINK_MS],
  );
  if (made.length === 0) throw new Refusal('not_found');
  return `/login/link?ticket=${ticket}`;
}

/** Whom a ticket would sign in, without using it up: programs that look at links in mails must not. Refuses as `bad_link`. */
export async function peekSignInLink(db: Transaction, ticket: string, nowMs: number): Promise<LinkedPerson> {
  const sql = `SELECT p.id AS "personId", p.name FROM sign_in_links l, people p WHERE ${OF_TICKET}`;
  return only(await db.query<LinkedPerson>(sql, [digestOf(ticket), nowMs]));
}

/** Uses a ticket up. Refuses as `bad_link`. */
export async function takeSignInLink(tx: Transaction, ticket: string, nowMs: number): Promise<LinkedPerson> {
  const sql = `DELETE FROM sign_in_links l USING people p WHERE ${OF_TICKET} RETURNING p.id AS "personId", p.name`;
  return only(await tx.query<LinkedPerson>(sql, [digestOf(ticket), nowMs]));
}

function only([found]: readonly LinkedPerson[]): LinkedPerson {
  if (found === undefined) throw new SignInRefusal('bad_link');
  return found;
}
