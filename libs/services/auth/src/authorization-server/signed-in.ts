import type { Database } from '@gatehouse/persistence';
import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import type { LoginSessions } from '../sign-in/login-sessions.js';

/** Who is signed in, as the authorization server asks: accounts are active callers, sign-ins are our login sessions. */
export class SignedIn {
  constructor(
    private readonly db: Database,
    readonly sessions: LoginSessions,
  ) {}

  /** The account behind a code or a refresh token; nobody when the person is disabled, which ends both. */
  async account(id: string): Promise<Account | undefined> {
    const [row] = await this.db.query(`SELECT id FROM people WHERE id = $1 AND status = 'active'`, [id]);
    return row === undefined ? undefined : { accountId: id, claims: () => ({ sub: id }) };
  }

  /** The person that a subject of an identity provider is here, active or not. */
  async personOf(issuer: string, subject: string): Promise<string | undefined> {
    const [row] = await this.db.query<{ id: string }>('SELECT person_id AS id FROM logins WHERE issuer = $1 AND subject = $2', [issuer, subject]);
    return row?.id;
  }

  /** Whether the person the library remembers is signed in with us too. */
  async isStill(ctx: KoaContextWithOIDC): Promise<boolean> {
    const session = await this.sessions.current(ctx.get('cookie') || undefined);
    return session !== undefined && session.personId === ctx.oidc.session?.accountId;
  }
}
