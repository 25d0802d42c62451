import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { RateLimits } from '../authorization-server/rate-limits.js';
import type { FormTokens } from '../sign-in/form-token.js';
import type { LoginSessions } from '../sign-in/login-sessions.js';
import { AccountSignIn } from './account-sign-in.js';
import type { ConnectRouteParts } from './connect-routes.js';
import { ConnectTickets } from './connect-tickets.js';
import type { ConnectedAccounts } from './connected-accounts.js';
import { Connecting } from './connecting.js';
import { Connections } from './connections.js';
import { findUpstreamBy, type FindUpstream } from './find-upstream.js';
import { ForgottenUpstreams } from './forgotten-upstreams.js';
import { TokenEndpoint } from './token-endpoint.js';
import { UpstreamClients } from './upstream-clients.js';
import { UpstreamDiscovery } from './upstream-discovery.js';
import { UpstreamSecrets } from './upstream-secrets.js';
import { UpstreamServers } from './upstream-servers.js';

/** What signing in to upstreams is built from. */
export interface UpstreamsOptions {
  db: Database;
  bus: Bus;
  outbound: Outbound;
  log: Logger;
  clock: Clock;
  /** Where people and authorization servers reach Gatehouse. */
  publicOrigin: string;
  /** A server names another authorization server than before. */
  onOtherIssuer: (serverId: string) => Promise<unknown>;
}

/** What speaks OAuth to upstreams' authorization servers. */
export interface UpstreamsArea {
  findUpstream: FindUpstream;
  servers: UpstreamServers;
  clients: UpstreamClients;
  secrets: UpstreamSecrets;
  tokens: TokenEndpoint;
  discovery: UpstreamDiscovery;
  forgotten: ForgottenUpstreams;
}

/** What connecting needs besides. */
export interface ConnectOptions extends UpstreamsOptions {
  area: UpstreamsArea;
  accounts: ConnectedAccounts;
  sessions: LoginSessions;
  forms: FormTokens;
}

/** Builds what speaks to authorization servers. */
export function buildUpstreams(options: UpstreamsOptions): UpstreamsArea {
  const { db, bus, log, clock } = options;
  const findUpstream = findUpstreamBy(bus);
  const secrets = new UpstreamSecrets(db, bus, clock);
  const servers = new UpstreamServers(options);
  const clients = new UpstreamClients({ ...options, secrets });
  const tokens = new TokenEndpoint({ ...options, secrets, servers, clients });
  const discovery = new UpstreamDiscovery({ db, servers, clients, secrets, findUpstream, log, clock });
  return { findUpstream, servers, clients, secrets, tokens, discovery, forgotten: new ForgottenUpstreams(db, secrets) };
}

/** Builds what people connect accounts with. */
export function buildConnecting({ area, ...options }: ConnectOptions): ConnectRouteParts & { connections: Connections } {
  const { db, bus, clock, log, accounts, sessions, forms, publicOrigin } = options;
  const { findUpstream, discovery } = area;
  const signIn = new AccountSignIn({ ...options, ...area });
  const connections = new Connections({ db, tickets: new ConnectTickets(bus), findUpstream, clock, publicOrigin });
  const methodOf = discovery.methodOf.bind(discovery);
  const connecting = new Connecting({ db, bus, connections, signIn, accounts, findUpstream, methodOf, clock });
  return { connecting, connections, signIn, sessions, forms, limits: new RateLimits(clock), log, publicOrigin };
}
