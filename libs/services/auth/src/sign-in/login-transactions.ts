import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { digestOf, newBearer } from './bearer.js';
import type { Cookies } from './cookies.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** A sign-in between the redirect to the provider and the answer. */
export interface LoginTransaction {
  provider: string;
  issuer: string;
  returnTo: string;
  nonce: string;
  /** PKCE (RFC 7636). */
  verifier: string;
  /** The person must have signed in at the provider after this (ms); null when their session there will do. */
  freshSince: number | null;
}

/** What a sign-in begins with. */
export type NewTransaction = Pick<LoginTransaction, 'provider' | 'issuer' | 'returnTo' | 'freshSince'>;

const LIFE_MS = 600_000;
const COOKIE = 'gh_tx_';
/** Tabs with a sign-in under way in one browser; abandoned ones are forgotten with the next beyond. */
const MAX_TABS = 8;

/** What `LoginTransactions` works with. */
export interface LoginTransactionsParts {
  db: Database;
  cookies: Cookies;
  clock?: Clock;
}

/**
 * Sign-ins under way, in the database so that any replica takes the answer. Each is tied to the
 * browser that began it by a cookie of its own: two tabs do not disturb each other (A17), and the
 * answer opened in another browser signs nobody in.
 */
export class LoginTransactions {
  private readonly clock: Clock;

  constructor(private readonly parts: LoginTransactionsParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Begins one; the cookies are texts of `Set-Cookie` headers. */
  async begin(asked: NewTransaction, cookieHeader: string | undefined): Promise<{ transaction: LoginTransaction; state: string; cookies: string[] }> {
    const [state, bind] = [newBearer(), newBearer()];
    const transaction = { ...asked, nonce: newBearer(), verifier: newBearer() };
    await this.insert(transaction, digestOf(state), digestOf(bind));
    const { cookies } = this.parts;
    const abandoned = cookies.namesBeginning(cookieHeader, COOKIE).slice(0, -(MAX_TABS - 1));
    const own = cookies.set({ name: cookieName(state), value: bind, maxAge: LIFE_MS / 1_000 });
    return { transaction, state, cookies: [...abandoned.map((name) => cookies.clear(name)), own] };
  }

  /** Takes one by its state, once, in the browser that began it. Refuses as `over`. */
  async take(state: string, cookieHeader: string | undefined): Promise<LoginTransaction> {
    const bind = this.parts.cookies.read(cookieHeader, cookieName(state));
    if (bind === undefined) throw new SignInRefusal('over');
    const [row] = await this.parts.db.query<Omit<LoginTransaction, 'freshSince'> & { freshSince: string | null }>(
      `DELETE FROM login_transactions WHERE state_hash = $1 AND bind_hash = $2 AND expires_at > $3
       RETURNING provider, issuer, return_to AS "returnTo", nonce, verifier, fresh_since AS "freshSince"`,
      [digestOf(state), digestOf(bind), this.clock.now()],
    );
    if (row === undefined) throw new SignInRefusal('over');
    return { ...row, freshSince: row.freshSince === null ? null : Number(row.freshSince) };
  }

  /** The `Set-Cookie` text by which a browser forgets one. */
  forget(state: string): string {
    return this.parts.cookies.clear(cookieName(state));
  }

  private async insert({ provider, issuer, returnTo, nonce, verifier, freshSince }: LoginTransaction, state: string, bind: string): Promise<void> {
    const now = this.clock.now();
    await this.parts.db.query('DELETE FROM login_transactions WHERE expires_at <= $1', [now]);
    await this.parts.db.query(
      `INSERT INTO login_transactions (state_hash, bind_hash, provider, issuer, return_to, nonce, verifier, fresh_since, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [state, bind, provider, issuer, returnTo, nonce, verifier, freshSince, now + LIFE_MS],
    );
  }
}

function cookieName(state: string): string {
  return `${COOKIE}${digestOf(state).slice(0, 16)}`;
}
