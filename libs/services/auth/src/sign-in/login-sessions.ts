import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import { digestOf, newBearer } from './bearer.js';
import type { Cookies } from './cookies.js';
import { endLoginSession, findLiveSession, insertLoginSession, sweepLoginSessions, type LoginSession, type LoginSessionRow } from './login-session-rows.js';

export type { LoginSession } from './login-session-rows.js';

/** Who signed in, and how. */
export type SignedInPerson = Pick<LoginSessionRow, 'personId' | 'provider' | 'subject' | 'sid' | 'authAt'>;

/** The provider's name of sessions that a one-time link opened; no provider can be called so. */
export const LINK_PROVIDER = '(link)';

/** How long a person stays signed in (ms). */
export const LOGIN_SESSION_MS = 8 * 3_600_000;

const COOKIE = 'gh_login';

/** What `LoginSessions` works with. */
export interface LoginSessionsParts {
  db: Database;
  cookies: Cookies;
  clock?: Clock;
}

/** Who is signed in, by a cookie of ours: the authorization server asks here whenever it needs a person. */
export class LoginSessions {
  private readonly clock: Clock;

  constructor(private readonly parts: LoginSessionsParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Starts a session under an id that nobody has seen before; `cookie` is the text of its `Set-Cookie`. */
  async start(tx: Transaction, person: SignedInPerson): Promise<{ cookie: string; idHash: string }> {
    const id = newBearer();
    const idHash = digestOf(id);
    const createdAt = this.clock.now();
    await sweepLoginSessions(tx, createdAt);
    await insertLoginSession(tx, { ...person, idHash, createdAt, expiresAt: createdAt + LOGIN_SESSION_MS });
    return { cookie: this.parts.cookies.set({ name: COOKIE, value: id, maxAge: LOGIN_SESSION_MS / 1_000 }), idHash };
  }

  /** Whose browser this is; nobody's once the session is over or its person disabled. */
  async current(cookieHeader: string | undefined): Promise<LoginSession | undefined> {
    const id = this.parts.cookies.read(cookieHeader, COOKIE);
    return id === undefined ? undefined : findLiveSession(this.parts.db, digestOf(id), this.clock.now());
  }

  /** Ends a session; twice is fine. */
  async end(idHash: string): Promise<void> {
    await endLoginSession(this.parts.db, idHash, this.clock.now());
  }

  /** Ends the session that a browser shows, in the transaction that starts another. */
  async replace(tx: Transaction, cookieHeader: string | undefined): Promise<void> {
    const id = this.parts.cookies.read(cookieHeader, COOKIE);
    if (id !== undefined) await endLoginSession(tx, digestOf(id), this.clock.now());
  }

  /** The `Set-Cookie` text by which a browser forgets its session. */
  get forget(): string {
    return this.parts.cookies.clear(COOKIE);
  }
}
