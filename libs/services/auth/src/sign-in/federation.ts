import { isJsonObject, Secret, systemClock, type Clock, type JsonValue } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  Configuration,
  customFetch,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  type ClientAuth,
  type ServerMetadata,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import type { SignInTokens } from '../hand-over/sign-in-tokens.js';
import { isOverage, missesClaims, profileOf, type Claims, type Profile } from './claims.js';
import type { ProviderSettings } from './identity-provider-rows.js';
import type { LoginTransaction } from './login-transactions.js';
import { providerProblem } from './provider-answers.js';
import { isPlain, type KnownProvider, type ProviderMetadataCache } from './provider-metadata.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** A provider that people can be sent to, with what it takes to talk to it. */
export interface SignInProvider {
  name: string;
  settings: ProviderSettings;
  /** Lends the client secret; undefined for a public client. */
  secret: () => Promise<Secret | undefined>;
}

/** What a verified answer proves. */
export interface Proof {
  subject: string;
  sid: string | null;
  authAt: number;
  claims: Claims;
  /** What the provider gave, where it is kept; whoever has the proof wipes it. */
  tokens?: SignInTokens | undefined;
  /** Asks the userinfo endpoint, when there is one. */
  userinfo: (() => Promise<Claims>) | undefined;
}

/** Who arrived, as the provider says. */
export interface Arrival extends Profile {
  provider: SignInProvider;
  subject: string;
  sid: string | null;
  authAt: number;
  /** Everything stated, for the administrator rule. */
  claims: Claims;
  /** As in the proof. */
  tokens?: SignInTokens | undefined;
}

/** What `Federation` works with. */
export interface FederationParts {
  metadata: ProviderMetadataCache;
  /** Where providers send people back to: `<public origin>/login/callback`. */
  callback: string;
  log: Logger;
  clock?: Clock;
}

const SKEW_MS = 60_000;
const MAX_ID = 255;

/** Sends people to their provider and verifies what comes back (OpenID Connect Core 1.0, RFC 9700, RFC 9207). */
export class Federation {
  private readonly clock: Clock;

  constructor(private readonly parts: FederationParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Where the browser goes to sign in. */
  async authorizationUrl(provider: SignInProvider, transaction: LoginTransaction, state: string): Promise<URL> {
    const parameters = {
      redirect_uri: this.parts.callback,
      scope: [...new Set(['openid', ...provider.settings.scopes])].join(' '),
      state,
      nonce: transaction.nonce,
      code_challenge: await calculatePKCECodeChallenge(transaction.verifier),
      code_challenge_method: 'S256',
      ...(transaction.freshSince === null ? {} : { prompt: 'login', max_age: '0' }),
    };
    return verified(async () => buildAuthorizationUrl(await this.configuration(provider, None()), parameters));
  }

  /** Where the browser goes to sign out at the provider too; undefined when it has no such place. */
  async endSessionUrl(provider: SignInProvider, returnTo: string): Promise<URL | undefined> {
    const config = await this.configuration(provider, None());
    if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
    return buildEndSessionUrl(config, { post_logout_redirect_uri: returnTo });
  }

  /** Gatehouse as the provider's client, with what proves it: for one request at once. */
  client(provider: SignInProvider): Promise<Configuration> {
    return verified(async () => this.configuration(provider, await this.authentication(provider)));
  }

  /** Redeems the code of an answer and verifies the id_token; `query` is the whole query of the callback. */
  async redeem(provider: SignInProvider, transaction: LoginTransaction, query: URLSearchParams): Promise<Proof> {
    const config = await this.client(provider);
    const tokens = await verified(() =>
      authorizationCodeGrant(config, new URL(`${this.parts.callback}?${query.toString()}`), {
        expectedState: query.get('state') ?? '',
        expectedNonce: transaction.nonce,
        pkceCodeVerifier: transaction.verifier,
        idTokenExpected: true,
      }),
    );
    const claims = claimsOf(tokens.claims());
    const subject = String(claims['sub']);
    if (subject.length > MAX_ID || /[^\x20-\x7e]/.test(subject)) throw new SignInRefusal('bad_answer', { cause: new Error('subject') });
    const proof = { subject, sid: sidOf(claims), authAt: this.authTime(claims, transaction), claims, tokens: keptOf(provider, tokens) };
    const hasUserinfo = config.serverMetadata().userinfo_endpoint !== undefined;
    const userinfo = async (): Promise<Claims> => claimsOf(await fetchUserInfo(config, tokens.access_token, subject));
    return { ...proof, userinfo: hasUserinfo ? userinfo : undefined };
  }

  /** Who that is: the id_token's claims, and what it does not say from the userinfo endpoint about the same subject. */
  async profile(provider: SignInProvider, { claims, userinfo, ...proof }: Proof): Promise<Arrival> {
    const { claims: mapping, administratorRule: rule } = provider.settings;
    const isAsked = userinfo !== undefined && missesClaims(claims, mapping, rule?.claim);
    const all = isAsked ? merged(claims, await verified(userinfo)) : claims;
    const profile = profileOf(all, mapping);
    if (profile.groups === undefined) this.parts.log.warn({ provider: provider.name, overage: isOverage(all, mapping.groups) }, GROUPS_UNKNOWN);
    return { ...proof, ...profile, provider, claims: all };
  }

  // Built anew for each answer: client secrets stay a minute only, and this is cheap.
  private async configuration({ settings }: SignInProvider, authentication: ClientAuth): Promise<Configuration> {
    const { metadata } = await this.known(settings);
    const skew = Math.round((this.clock.now() - Date.now()) / 1_000);
    const config = new Configuration(metadata, settings.clientId, { [clockSkew]: skew }, authentication);
    config[customFetch] = this.parts.metadata.fetchFor(settings);
    if (isPlain(settings.issuer)) allowInsecureRequests(config);
    enableNonRepudiationChecks(config);
    return config;
  }

  private async authentication({ settings, secret }: SignInProvider): Promise<ClientAuth> {
    const { metadata } = await this.known(settings);
    const held = await secret();
    if (held === undefined) return None();
    return held.use((bytes) => (takesBasic(metadata) ? ClientSecretBasic(bytes.toString('utf8')) : ClientSecretPost(bytes.toString('utf8'))));
  }

  private known(settings: ProviderSettings): Promise<KnownProvider> {
    return verified(() => this.parts.metadata.of(settings));
  }

  // `prompt=login` passes through the browser, so only the provider's own word counts.
  private authTime(claims: Claims, { freshSince }: LoginTransaction): number {
    const told = typeof claims['auth_time'] === 'number' ? claims['auth_time'] * 1_000 : undefined;
    if (freshSince !== null && (told === undefined || told < freshSince - SKEW_MS)) throw new SignInRefusal('not_fresh');
    return freshSince === null ? Math.min(told ?? this.clock.now(), this.clock.now()) : this.clock.now();
  }
}

const GROUPS_UNKNOWN =
  'the identity provider did not state this person’s groups (too many for the token, or more than 500): those known before stay. Let it send only groups assigned to the application';

async function verified<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw providerProblem(error);
  }
}

function takesBasic({ token_endpoint_auth_methods_supported: methods }: Readonly<ServerMetadata>): boolean {
  return methods === undefined || methods.includes('client_secret_basic');
}

function keptOf({ settings }: SignInProvider, answer: TokenEndpointResponse & TokenEndpointResponseHelpers): SignInTokens | undefined {
  const { id_token: idToken, refresh_token: refreshToken } = answer;
  if (!settings.keepTokens || idToken === undefined) return undefined;
  return { idToken: Secret.fromText(idToken), idTokenUntil: answer.claims()!.exp * 1_000, refreshToken: refreshToken === undefined ? null : Secret.fromText(refreshToken) };
}

function claimsOf(value: unknown): Claims {
  return isJsonObject(value as JsonValue) ? (value as Claims) : {};
}

// `email_verified` of one answer says nothing about the address in the other.
function merged(idToken: Claims, userinfo: Claims): Claims {
  const all = { ...userinfo, ...idToken };
  const isOtherAddress = idToken['email'] !== undefined && idToken['email'] !== userinfo['email'];
  return isOtherAddress ? { ...all, email_verified: idToken['email_verified'] } : all;
}

function sidOf({ sid }: Claims): string | null {
  return typeof sid === 'string' && sid !== '' && sid.length <= MAX_ID ? sid : null;
}
