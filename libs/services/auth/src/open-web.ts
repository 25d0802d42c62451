import type { RequestListener } from 'node:http';
import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import type { Database, Outbox } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { buildAuthorization, type Authorization } from './authorization-server/build-authorization.js';
import { RateLimits } from './authorization-server/rate-limits.js';
import type { DirectoryChanges } from './directory/directory-changes.js';
import { openAuthListener, type AuthListener } from './http/auth-listener.js';
import { buildIdentities, type IdentitiesArea } from './identities/build-identities.js';
import { registerScim } from './scim/http/register-scim.js';
import { buildSignIn, registerSignIn, type SignInArea } from './sign-in/build-sign-in.js';
import type { SignInConfig } from './sign-in/sign-in-config.js';
import { TokenIssuers } from './token-issuers/token-issuers.js';
import { buildConnecting, buildUpstreams, type UpstreamsArea } from './upstreams/build-upstreams.js';
import { registerConnect, type ConnectRouteParts } from './upstreams/connect-routes.js';
import type { Connections } from './upstreams/connections.js';

/** What the side of auth that browsers and clients see is built from. */
export interface WebOptions {
  bus: Bus;
  db: Database;
  changes: DirectoryChanges;
  outbox: Outbox;
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
  readonly accounts: IdentitiesArea;
  readonly upstreams: UpstreamsArea & { connections: Connections };
  readonly outbound: Outbound;
  close(): Promise<void>;
}

type BuiltAccounts = Pick<AuthWeb, 'accounts' | 'upstreams'> & { connect: ConnectRouteParts };

/** Builds sign-in, consent and the authorization server, and the listener in front of them. */
export async function openWeb(options: WebOptions): Promise<AuthWeb> {
  const { bus, db, changes, log, clock, origin } = options;
  const outbound = new Outbound({ trustedCas: options.trustedCas, forbiddenPorts: options.ownPorts });
  const signIn = buildSignIn({ db, changes, bus, outbound, log, clock, config: options.config, publicOrigin: origin });
  const { sessions } = signIn;
  const tokenIssuers = new TokenIssuers({ db, changes, outbound, log, clock });
  const authorization = buildAuthorization({ bus, db, changes, log, clock, outbound, sessions, origin, assertionIssuer: signIn.assertionIssuer });
  const { upstreams, accounts, connect } = buildAccounts(options, outbound, { ...signIn, keys: authorization.keys });
  const listener = await openAuthListener({ origin, log, authorizationServer: { handle: (request, response) => authorization.server.handle(request, response) }, areas: [(app) => authorization.register(app), (app) => registerSignIn(app, signIn), (app) => registerConnect(app, connect), (app) => registerScim(app, { db, changes, clock, log, origin, limits: new RateLimits(clock) })] });
  const close = async (): Promise<void> => {
    await accounts.identitySweep.stop();
    await signIn.keptSignIns.stop();
    await authorization.close();
    tokenIssuers.close();
    await listener.close();
    await outbound.close();
  };
  return { handle: listener.handle, listener, authorization, signIn, tokenIssuers, accounts, upstreams, outbound, close };
}

/** What speaks to upstreams' authorization servers, the accounts that come of it, and how people connect them. */
function buildAccounts({ origin: publicOrigin, ...given }: WebOptions, outbound: Outbound, { sessions, forms, signInSubjects: signIns, keys }: Pick<SignInArea, 'sessions' | 'forms' | 'signInSubjects'> & Pick<Authorization, 'keys'>): BuiltAccounts {
  const onOtherIssuer = (serverId: string): Promise<unknown> => accounts.identities.authorizationServerChanged(serverId);
  const options = { ...given, outbound, publicOrigin, onOtherIssuer };
  const area = buildUpstreams(options);
  const accounts: IdentitiesArea = buildIdentities({ ...given, upstreams: area, keys, signIns, origin: publicOrigin });
  const connect = buildConnecting({ ...options, area, accounts: accounts.identities, sessions, forms });
  return { upstreams: { ...area, connections: connect.connections }, accounts, connect };
}
