import type { RequestListener } from 'node:http';
import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { buildAuthorization, type Authorization } from './authorization-server/build-authorization.js';
import { RateLimits } from './authorization-server/rate-limits.js';
import type { DirectoryChanges } from './directory/directory-changes.js';
import { openAuthListener, type AuthListener } from './http/auth-listener.js';
import { registerScim } from './scim/http/register-scim.js';
import { buildSignIn, registerSignIn, type SignInArea } from './sign-in/build-sign-in.js';
import type { SignInConfig } from './sign-in/sign-in-config.js';
import { TokenIssuers } from './token-issuers/token-issuers.js';

/** What the side of auth that browsers and clients see is built from. */
export interface WebOptions {
  bus: Bus;
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock: Clock;
  config: SignInConfig;
  /** Public origin of Gatehouse; also the issuer of our tokens. */
  origin: string;
  /** PEM texts of authorities trusted besides the well-known ones. */
  trustedCas: readonly string[];
  /** Ports of Gatehouse itself, which no address that a client or a provider names may lead to. */
  ownPorts: readonly number[];
}

/** The open side of auth. */
export interface AuthWeb {
  readonly handle: RequestListener;
  readonly listener: AuthListener;
  readonly authorization: Authorization;
  readonly signIn: SignInArea;
  readonly tokenIssuers: TokenIssuers;
  readonly outbound: Outbound;
  close(): Promise<void>;
}

/** Builds sign-in, consent and the authorization server, and the listener in front of them. */
export async function openWeb(options: WebOptions): Promise<AuthWeb> {
  const { bus, db, changes, log, clock, origin } = options;
  const outbound = new Outbound({ trustedCas: options.trustedCas, forbiddenPorts: options.ownPorts });
  const signIn = buildSignIn({ db, changes, bus, outbound, log, clock, config: options.config, publicOrigin: origin });
  const { sessions } = signIn;
  const tokenIssuers = new TokenIssuers({ db, changes, outbound, log, clock });
  const authorization = buildAuthorization({ bus, db, changes, log, clock, outbound, sessions, origin, assertionIssuer: signIn.assertionIssuer });
  const listener = await openAuthListener({ origin, log, authorizationServer: { handle: (request, response) => authorization.server.handle(request, response) }, areas: [(app) => authorization.register(app), (app) => registerSignIn(app, signIn), (app) => registerScim(app, { db, changes, clock, log, origin, limits: new RateLimits(clock) })] });
  const close = async (): Promise<void> => {
    await authorization.close();
    tokenIssuers.close();
    await listener.close();
    await outbound.close();
  };
  return { handle: listener.handle, listener, authorization, signIn, tokenIssuers, outbound, close };
}
