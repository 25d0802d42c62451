import { CliFailure, notSignedIn } from '../failure.js';
import { apiResource, gatewayUrl } from '../gateway-url.js';
import type { Surroundings } from '../surroundings.js';
import { refreshed, revoke } from './authorization-server.js';
import { LoginFile, type HeldTokens, type Login } from './login-file.js';
import type { SignedIn } from './sign-in-by-browser.js';
import { tokenSubject } from './token-subject.js';

/** An access token with less left is renewed first, so that it does not expire on its way (ms). */
const MARGIN_MS = 30_000;

/** The login of `gatehouse login` at one Gatehouse: its tokens, renewed when they expire. */
export class StoredLogin {
  private readonly file: LoginFile;
  /** By which Gatehouses are told apart. */
  private readonly key: string;

  constructor(private readonly surroundings: Surroundings) {
    this.file = new LoginFile(surroundings.loginFile);
    this.key = gatewayUrl(surroundings).href.replace(/\/$/, '');
  }

  /** True when somebody signed in here and did not sign out. */
  async exists(): Promise<boolean> {
    return (await this.file.read())[this.key] !== undefined;
  }

  /** An access token for a resource, renewed when it is about to expire; undefined when there is no login for it. */
  async token(resource: string): Promise<string | undefined> {
    const held = (await this.file.read())[this.key]?.tokens[resource];
    if (held === undefined || this.isFresh(held)) return held?.accessToken;
    return this.renewed(resource, held.accessToken);
  }

  /**
   * Another access token than one that expired or was refused. Refresh tokens are good once, and using
   * one twice ends the login, so processes take turns: who comes second takes what the first one got.
   */
  async renewed(resource: string, refused: string): Promise<string | undefined> {
    return this.file.change(async (logins) => {
      const login = logins[this.key];
      const held = login?.tokens[resource];
      if (login === undefined || held === undefined) return undefined;
      if (held.accessToken !== refused && this.isFresh(held)) return held.accessToken;
      const tokens = await this.refresh(login, resource, held);
      login.tokens[resource] = tokens;
      return tokens.accessToken;
    });
  }

  /**
   * Keeps what a sign-in brought. One for the admin API begins a new login; one for an endpoint joins the
   * login there is, and must be the same person's: a login that calls as another is nobody's wish.
   */
  async keep(resource: string, { server, tokens }: SignedIn): Promise<void> {
    await this.file.change((logins) => {
      const others = resource === apiResource(this.surroundings) ? {} : { ...logins[this.key]?.tokens };
      const people = [tokens, ...Object.values(others)].map(({ accessToken }) => tokenSubject(accessToken)).filter((subject) => subject !== undefined);
      if (new Set(people).size > 1) throw somebodyElse();
      logins[this.key] = { ...server, tokens: { ...others, [resource]: tokens } };
    });
  }

  /**
   * Signs out: forgets the login, then gives its refresh tokens back, so that a gateway that is away
   * cannot keep them here. False when nobody was signed in.
   */
  async end(): Promise<boolean> {
    const login = await this.file.change((logins) => {
      const held = logins[this.key];
      delete logins[this.key];
      return held;
    });
    if (login === undefined) return false;
    for (const { refreshToken } of Object.values(login.tokens)) await this.giveBack(login, refreshToken);
    return true;
  }

  private isFresh({ expiresAt }: HeldTokens): boolean {
    return expiresAt - MARGIN_MS > this.surroundings.now();
  }

  private async refresh(login: Login, resource: string, { refreshToken }: HeldTokens): Promise<HeldTokens> {
    const next = resource === apiResource(this.surroundings) ? 'gatehouse login' : `gatehouse login --endpoint ${resource.split('/').at(-1) ?? ''}`;
    if (refreshToken === null) throw notSignedIn('the login has expired', next);
    try {
      return await refreshed(this.surroundings, login, { resource, refreshToken });
    } catch (error) {
      if (error instanceof CliFailure && error.code === 'invalid_grant') throw notSignedIn('the login is over: it expired or was revoked', next);
      throw error;
    }
  }

  private async giveBack({ revocationEndpoint }: Login, refreshToken: string | null): Promise<void> {
    if (refreshToken === null || revocationEndpoint === null) return;
    try {
      await revoke(this.surroundings, revocationEndpoint, refreshToken);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new CliFailure({ message: `the login is forgotten here, but could not be revoked: ${message}`, next: 'gatehouse grant list and gatehouse grant revoke ID, once the gateway answers' });
    }
  }
}

function somebodyElse(): CliFailure {
  return new CliFailure({ message: 'the browser is signed in as somebody else than this login; nothing was kept', next: 'sign in there as the same person, or start over with gatehouse login' });
}
