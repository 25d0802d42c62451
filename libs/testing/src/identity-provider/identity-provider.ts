import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata, Provider } from 'oidc-provider';
import type { TestAuthority } from '../tls/test-authority.js';
import { registerAssertionExchange, TOKEN_EXCHANGE, type ExchangeParts, type ExchangeRules } from './assertion-exchange.js';
import { BackChannelLogout, type LogoutAnswer, type LogoutSubject, type LogoutTokenFlaw } from './back-channel-logout.js';
import { spoil } from './flawed-answers.js';
import { ArmedFlaws, type IdentityProviderFlaw } from './flaws.js';
import { TokenMint, type AccessTokenWish, type IdJagWish } from './issued-tokens.js';
import { answerLogin } from './login-page.js';
import { People, type Person, type PersonWish } from './people.js';
import { providerConfiguration, SIGN_IN_PATH, type ProviderParts } from './provider-configuration.js';
import { ProviderMemory, type ProviderSession } from './provider-memory.js';
import { SigningKeys, type Signing } from './signing-keys.js';

/** How a company's provider is set up; every part has a default. */
export interface IdentityProviderOptions {
  people?: readonly PersonWish[];
  /** Where the client may be sent back to; `setClient` changes it later. */
  redirectUris?: readonly string[];
  /** Where logout tokens go; `setBackChannelLogoutUri` changes it later. */
  backChannelLogoutUri?: string;
  /** `client_secret_basic` unless told. */
  clientAuthentication?: 'client_secret_basic' | 'client_secret_post';
  /** Under which name groups are stated; `groups` unless told. */
  groupsClaim?: string;
  /** True states everything but `sub` at the userinfo endpoint alone. */
  claimsOnlyInUserinfo?: boolean;
  /** False lets clients do without PKCE; required unless told. */
  requirePkce?: boolean;
  /** True gives refresh tokens with every sign-in, a new one at each use; they end with the session here. */
  refreshTokens?: boolean;
  /** How long id_tokens live; ten minutes unless told. */
  idTokenSeconds?: number;
  /** Serves https with a certificate of this authority. */
  authority?: TestAuthority;
  /** The name in the issuer, to be resolved to 127.0.0.1 by the caller; `127.0.0.1` unless told. */
  hostname?: string;
}

/** One request that arrived at the provider. */
export interface ProviderRequest {
  method: string;
  /** Without the query. */
  path: string;
}

/** What a provider runs on. */
interface Machinery {
  server: Server;
  Provider: typeof Provider;
}

/** Starts a company's OpenID provider on a free loopback port. */
export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const { authority, hostname = '127.0.0.1' } = options;
  const server = authority === undefined ? createHttp() : createHttps(authority.issue({ names: [hostname] }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Loaded here, so that specs without a provider do not pay for it.
  const { Provider } = await import('oidc-provider');
  return new IdentityProvider({ server, Provider }, `${authority === undefined ? 'http' : 'https'}://${hostname}`, options);
}

/**
 * A company's OpenID provider: a real one (oidc-provider) behind a layer that can spoil its answers.
 * It has one confidential client, a login page with one field, a session of its own and no consent.
 */
export class IdentityProvider {
  readonly issuer: string;
  readonly port: number;
  readonly clientId = 'gatehouse';
  readonly clientSecret = randomBytes(32).toString('base64url');
  private readonly staff: People;
  private readonly keys = new SigningKeys();
  private readonly flaws = new ArmedFlaws();
  private readonly memory: ProviderMemory;
  private readonly parts: ProviderParts;
  private readonly mint: TokenMint;
  private readonly logout: BackChannelLogout;
  private readonly exchange: ExchangeParts;
  private readonly arrived: ProviderRequest[] = [];
  private provider: Provider;
  private logoutUri: string | undefined;

  /** For `startIdentityProvider`. */
  constructor(
    private readonly machinery: Machinery,
    origin: string,
    options: IdentityProviderOptions,
  ) {
    const { server } = machinery;
    this.port = (server.address() as AddressInfo).port;
    this.issuer = `${origin}:${this.port}`;
    this.staff = new People(options.people ?? []);
    this.memory = new ProviderMemory(this.clientOf(options));
    this.parts = {
      people: this.staff,
      keys: this.keys,
      memory: this.memory,
      groupsClaim: options.groupsClaim ?? 'groups',
      claimsOnlyInUserinfo: options.claimsOnlyInUserinfo === true,
      requirePkce: options.requirePkce !== false,
      refreshTokens: options.refreshTokens === true,
      idTokenSeconds: options.idTokenSeconds ?? 600,
    };
    this.mint = new TokenMint(this.issuer, this.keys, this.staff);
    const rules: ExchangeRules = { audiences: {}, answer: 'id-jag', refused: null, answeredBy: null };
    this.exchange = { issuer: this.issuer, clientId: this.clientId, keys: this.keys, people: this.staff, mint: this.mint, rules, asked: [] };
    this.logout = new BackChannelLogout(this.issuer, this.keys, () => this.memory.client.client_id);
    this.logoutUri = options.backChannelLogoutUri;
    this.provider = this.build();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.handle(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Everybody, disabled or not. */
  people(): readonly Person[] {
    return this.staff.all();
  }

  /** Adds a person or changes members of one; holds from the next sign-in or userinfo request on. */
  setPerson(wish: PersonWish): Person {
    const person = this.staff.set(wish);
    if (person.disabled) this.memory.endSessionsOf(person.sub);
    return person;
  }

  /** Ends the sessions that a person has here, tells nobody, and lets her sign in no more. */
  disable(sub: string): void {
    this.setPerson({ sub, disabled: true });
  }

  /** Changes the registration of the client: redirect URIs, authentication method, id_token algorithm. */
  setClient(metadata: Partial<ClientMetadata>): void {
    this.memory.client = { ...this.memory.client, ...metadata };
  }

  /** Where logout tokens go from now on. */
  setBackChannelLogoutUri(uri: string): void {
    this.logoutUri = uri;
  }

  /**
   * Does this wrong once, at the next answer that it concerns; what concerns discovery and the key
   * set holds until `behave()`. Several can be armed at a time.
   */
  misbehave(flaw: IdentityProviderFlaw): void {
    this.flaws.arm(flaw);
  }

  /** Does everything right again. */
  behave(): void {
    this.flaws.clear();
  }

  /** New keys sign from now on; the old ones stay published unless told otherwise. */
  rotateKeys(options: { keepOld?: boolean } = {}): void {
    this.keys.rotate(options);
    this.provider = this.build();
  }

  /** Answers so who wants identity assertions from now on; what is left out stays. Nobody gets one for any audience unless told. */
  setExchange(change: Partial<ExchangeRules>): void {
    Object.assign(this.exchange.rules, change);
  }

  /** Parameters of every request for an identity assertion, oldest first. */
  exchanges(): readonly Record<string, string>[] {
    return this.exchange.asked;
  }

  /** An identity assertion (ID-JAG) for redemption at `aud`. */
  issueIdJag(wish: IdJagWish, signing?: Signing): Promise<string> {
    return this.mint.idJag(wish, signing);
  }

  /** A JWT access token as the provider issues it for an API. */
  issueAccessToken(wish: AccessTokenWish, signing?: Signing): Promise<string> {
    return this.mint.accessToken(wish, signing);
  }

  /** The sessions that a person has at the provider. */
  sessionsOf(sub: string): readonly ProviderSession[] {
    return this.memory.sessionsOf(sub);
  }

  /** Ends the person's sessions here and tells the client, one logout token for each (one at least). */
  async logoutEverywhere(sub: string): Promise<LogoutAnswer[]> {
    const sessions = this.memory.sessionsOf(sub);
    this.memory.endSessionsOf(sub);
    const subjects: readonly LogoutSubject[] = sessions.length === 0 ? [{ sub }] : sessions;
    return Promise.all(subjects.map(async (subject) => this.postLogoutToken(await this.logoutToken(subject))));
  }

  /** A logout token for `postLogoutToken`, with one thing wrong when told. */
  logoutToken(subject: LogoutSubject, flaw?: LogoutTokenFlaw): Promise<string> {
    return this.logout.token(subject, flaw);
  }

  /** Posts a logout token to the client; the same one twice is a replay. */
  postLogoutToken(token: string): Promise<LogoutAnswer> {
    if (this.logoutUri === undefined) throw new Error('the client has no back-channel logout URI');
    return this.logout.post(token, this.logoutUri);
  }

  /** Every request that arrived, oldest first. */
  requests(): readonly ProviderRequest[] {
    return this.arrived;
  }

  /** Cuts every connection and stops listening. Safe to call twice. */
  async close(): Promise<void> {
    const { server } = this.machinery;
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  private clientOf(options: IdentityProviderOptions): ClientMetadata {
    return {
      client_id: this.clientId,
      client_secret: this.clientSecret,
      redirect_uris: [...(options.redirectUris ?? [])],
      grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
      response_types: ['code'],
      token_endpoint_auth_method: options.clientAuthentication ?? 'client_secret_basic',
    };
  }

  private build(): Provider {
    const provider = new this.machinery.Provider(this.issuer, providerConfiguration(this.parts));
    // Logout tokens are sent by this class, so the provider does not know that sessions are named to the client.
    provider.Client.prototype.includeSid = () => true;
    registerAssertionExchange(provider, this.exchange);
    return provider;
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    this.arrived.push({ method: request.method ?? '', path });
    const { flaws, keys, issuer } = this;
    if (path.startsWith(SIGN_IN_PATH)) {
      answerLogin(request, response, this.provider, this.staff).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else response.writeHead(400).end(String(error));
      });
    } else if (!spoil(request, response, { flaws, keys, issuer, clientSecret: () => this.clientSecret })) {
      void this.provider.callback()(request, response);
    }
  }
}
