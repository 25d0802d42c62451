import type { RequestListener } from 'node:http';
import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import { guardedFetch, Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { AuthorizationServer } from './authorization-server/authorization-server.js';
import { revokeAccessToken } from './authorization-server/access-token-revocation.js';
import { ClientDocuments } from './authorization-server/client-documents.js';
import { ClientStore } from './authorization-server/client-store.js';
import { registerInteractions } from './authorization-server/interactions.js';
import { RateLimits } from './authorization-server/rate-limits.js';
import { Resources } from './authorization-server/resources.js';
import { SignedIn } from './authorization-server/signed-in.js';
import { SigningKeys } from './authorization-server/signing-keys.js';
import { RegistrationSettings } from './clients/registration-settings.js';
import type { DirectoryChanges } from './directory/directory-changes.js';
import { openAuthListener, type AuthListener } from './http/auth-listener.js';
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
  readonly authorizationServer: AuthorizationServer;
  readonly keys: SigningKeys;
  readonly clients: ClientStore;
  readonly settings: RegistrationSettings;
  readonly signIn: SignInArea;
  readonly tokenIssuers: TokenIssuers;
  readonly outbound: Outbound;
  close(): Promise<void>;
}

const DOCUMENT = { maxBytes: 65_536, timeoutMs: 2_500 };

/** Builds sign-in, consent and the authorization server, and the listener in front of them. */
export async function openWeb(options: WebOptions): Promise<AuthWeb> {
  const { bus, db, changes, log, clock, origin } = options;
  const outbound = new Outbound({ trustedCas: options.trustedCas, forbiddenPorts: options.ownPorts });
  const signIn = buildSignIn({ db, changes, bus, outbound, log, clock, config: options.config, publicOrigin: origin });
  const { sessions } = signIn;
  const tokenIssuers = new TokenIssuers({ db, changes, outbound, log, clock });
  const keys = new SigningKeys(bus, changes);
  const clients = new ClientStore(db, clock);
  const settings = new RegistrationSettings(db, clock);
  const limits = new RateLimits(clock);
  const resources = new Resources(bus, origin, clock);
  const publicKeys = () => keys.current?.keys ?? [];
  const documents = new ClientDocuments(clients, limits, clock, async () => (await settings.current()).metadataDocuments === 'on');
  const gate = {
    resources,
    limits,
    publicKeys,
    revokeAccessToken: (token: string, form: URLSearchParams, authorization: string | undefined) =>
      revokeAccessToken({ origin, changes, clock, publicKeys }, token, form, authorization),
    admitRegistration: async () => undefined,
  };
  const authorizationServer = new AuthorizationServer(
    {
      ...{ db, changes, clock, origin, clients, documents, resources, gate, log },
      signedIn: new SignedIn(db, sessions),
      fetch: documents.fetching(fetchFor(outbound, settings)),
      redirectSchemes: () => settings.held.redirectSchemes,
    },
    keys,
  );
  const formKey = (): string => keys.current!.cookieKeys[0]!;
  const consent = { provider: () => authorizationServer.provider, sessions, clients, clock, formKey };
  const listener = await openAuthListener({ origin, log, authorizationServer: { handle: (request, response) => authorizationServer.handle(request, response) }, areas: [(app) => registerInteractions(app, consent), (app) => registerSignIn(app, signIn)] });
  const close = async (): Promise<void> => {
    authorizationServer.close();
    tokenIssuers.close();
    await listener.close();
    await outbound.close();
  };
  return { handle: listener.handle, listener, authorizationServer, keys, clients, settings, signIn, tokenIssuers, outbound, close };
}

// Documents of the company's own clients may lie inside its network, where an administrator named the host.
function fetchFor(outbound: Outbound, settings: RegistrationSettings): typeof fetch {
  const [open, inside] = [false, true].map((allowPrivateNetwork) => guardedFetch(outbound, { ...DOCUMENT, allowPrivateNetwork }));
  return (async (input: string | URL, init: RequestInit) => {
    const { privateHosts } = await settings.current();
    return (privateHosts.includes(new URL(input).hostname) ? inside! : open!)(input, init);
  }) as typeof fetch;
}
