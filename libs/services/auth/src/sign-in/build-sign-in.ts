import type { Bus } from '@gatehouse/bus';
import { systemClock, type Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance } from 'fastify';
import type { JWTVerifyGetKey } from 'jose';
import { RateLimits } from '../authorization-server/rate-limits.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { KeptSignIns } from '../hand-over/kept-sign-ins.js';
import { PersonTokens } from '../hand-over/person-tokens.js';
import { ProviderRequests } from '../hand-over/provider-requests.js';
import { SignInSubjects } from '../hand-over/sign-in-subjects.js';
import { TokenVault } from '../hand-over/token-vault.js';
import { Accounts } from './accounts.js';
import { registerBackChannelLogout, type BackChannelLogoutParts } from './back-channel-logout.js';
import { ClientSecrets } from './client-secret.js';
import { Cookies } from './cookies.js';
import { environmentProvider } from './environment-provider.js';
import { Federation } from './federation.js';
import { FormTokens } from './form-token.js';
import { registerHome, type HomeRouteParts } from './home-routes.js';
import { IdentityProviderSource } from './identity-provider-source.js';
import { IdentityProviders } from './identity-providers.js';
import { registerLinks, type LinkRouteParts } from './link-routes.js';
import { registerLogin, type LoginRouteParts } from './login-routes.js';
import { LocalAccounts } from './local-accounts.js';
import { LoginSessions } from './login-sessions.js';
import { LoginTransactions } from './login-transactions.js';
import { LogoutTokens } from './logout-token.js';
import { ProviderMetadataCache } from './provider-metadata.js';
import type { SignInConfig } from './sign-in-config.js';
import { signInSteps, type SignInSteps } from './sign-in-steps.js';
import { SignIn } from './sign-in.js';
import { registerSignOut, type SignOutRouteParts } from './sign-out-routes.js';

/** What the sign-in is built from. */
export interface SignInOptions {
  db: Database;
  changes: DirectoryChanges;
  bus: Bus;
  outbound: Outbound;
  log: Logger;
  clock?: Clock;
  config: SignInConfig;
  /** Scheme, host and port under which people reach Gatehouse; https decides over cookies. */
  publicOrigin: string;
  /** Longest wait for one answer of a provider, and for one step of a sign-in (ms). */
  waits?: { answerMs?: number; stepMs?: number };
  /** Stands between the steps and what runs them. */
  wrapSteps?: (steps: SignInSteps) => SignInSteps;
}

/** Everything about signing in, ready to be registered and asked. */
export interface SignInArea extends LoginRouteParts, LinkRouteParts, SignOutRouteParts, HomeRouteParts, BackChannelLogoutParts {
  /** The answers of the admin API for providers. */
  identityProviders: IdentityProviders;
  /** Links that administrators make. */
  localAccounts: LocalAccounts;
  /** Tokens of sign-ins, kept where an administrator allows it; destroyed when the sign-in is over. */
  keptSignIns: KeptSignIns;
  /** What those tokens are exchanged for. */
  signInSubjects: SignInSubjects;
  /** The provider of this issuer with its keys, when its identity assertions (ID-JAG) are accepted. */
  assertionIssuer: (issuer: string) => Promise<{ issuer: string; keys: JWTVerifyGetKey } | undefined>;
}

/** Builds the sign-in; a `Fault` of one line when the provider of the environment does not fit together. */
export function buildSignIn(options: SignInOptions): SignInArea {
  const { db, changes, bus, outbound, log, clock = systemClock, config, publicOrigin, waits = {} } = options;
  const cookies = new Cookies(publicOrigin.startsWith('https:'));
  const secrets = new ClientSecrets(bus);
  const environment = environmentProvider(config);
  const providers = new IdentityProviderSource(db, secrets, environment);
  const metadata = new ProviderMetadataCache({ outbound, log, clock, ...(waits.answerMs === undefined ? {} : { timeoutMs: waits.answerMs }) });
  const federation = new Federation({ metadata, callback: `${publicOrigin}/login/callback`, log, clock });
  const sessions = new LoginSessions({ db, cookies, clock });
  const transactions = new LoginTransactions({ db, cookies, clock });
  const made = signInSteps({ transactions, providers, federation, accounts: new Accounts(log, clock), sessions });
  const steps = options.wrapSteps?.(made) ?? made;
  const vault = new TokenVault(bus);
  const keptSignIns = new KeptSignIns({ db, vault, providers, log, clock });
  const requests = new ProviderRequests(federation);
  const signInSubjects = new SignInSubjects({ tokens: new PersonTokens({ db, vault, providers, requests, log, clock }), requests });
  const signIn = new SignIn({ steps, transactions, federation, sessions, changes, clock, kept: keptSignIns, ...(waits.stepMs === undefined ? {} : { stepLimitMs: waits.stepMs }) });
  const tokens = new LogoutTokens({ providers, metadata, now: () => clock.now() });
  const identityProviders = new IdentityProviders({ db, changes, secrets, metadata, outbound, environment, log, clock });
  const localAccounts = new LocalAccounts({ db, log, clock, isOn: config.localAccounts === true });
  const assertionIssuer = async (issuer: string) => {
    const named = (await providers.enabled()).find(({ settings }) => settings.identityAssertions && settings.issuer === issuer);
    return named === undefined ? undefined : { issuer, keys: (await metadata.of(named.settings)).keys };
  };
  const forms = new FormTokens(cookies);
  const limits = new RateLimits(clock);
  return { db, changes, log, clock, publicOrigin, sessions, transactions, providers, federation, forms, limits, signIn, tokens, identityProviders, localAccounts, assertionIssuer, keptSignIns, signInSubjects };
}

/** Puts the start page, the pages of the sign-in, the one-time links, the sign-out and the back-channel logout on auth's listener. */
export function registerSignIn(fastify: FastifyInstance, area: SignInArea): void {
  registerLogin(fastify, area);
  registerLinks(fastify, area);
  registerSignOut(fastify, area);
  registerHome(fastify, area);
  registerBackChannelLogout(fastify, area);
}
