import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import { guardedFetch, type Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance } from 'fastify';
import { decisionOf } from '../clients/client-rules.js';
import { ClientSweep } from '../clients/client-sweep.js';
import { Clients } from '../clients/clients.js';
import { Grants } from '../clients/grants.js';
import { admitRegistration } from '../clients/registration-admission.js';
import { RegistrationSettings } from '../clients/registration-settings.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import type { LoginSessions } from '../sign-in/login-sessions.js';
import { revokeAccessToken } from './access-token-revocation.js';
import { AuthorizationServer } from './authorization-server.js';
import type { Gate } from './before-provider.js';
import { ClientDocuments } from './client-documents.js';
import { ClientStore } from './client-store.js';
import { registerInteractions } from './interactions.js';
import { KeyRotation } from './key-rotation.js';
import type { ProviderParts } from './new-provider.js';
import { RateLimits } from './rate-limits.js';
import { Resources } from './resources.js';
import { SignedIn } from './signed-in.js';
import { SigningKeys } from './signing-keys.js';

/** What the authorization server stands on. */
export interface AuthorizationOptions {
  bus: Bus;
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock: Clock;
  outbound: Outbound;
  sessions: LoginSessions;
  assertionIssuer: ProviderParts['assertionIssuer'];
  /** Public origin of Gatehouse; also the issuer of our tokens. */
  origin: string;
}

/** The authorization server, and what administrators govern it by. */
export interface Authorization {
  readonly server: AuthorizationServer;
  readonly clients: Clients;
  readonly grants: Grants;
  readonly rotation: KeyRotation;
  /** What access tokens are signed with, and what else Gatehouse says of people. */
  readonly keys: Pick<SigningKeys, 'current'>;
  /** Registers the pages between a request and its answer. */
  register(app: FastifyInstance): void;
  start(): void;
  close(): Promise<void>;
}

const DOCUMENT = { maxBytes: 65_536, timeoutMs: 2_500 };

/** Builds the authorization server around settings, clients and keys. */
export function buildAuthorization(options: AuthorizationOptions): Authorization {
  const { bus, db, changes, log, clock, origin, sessions } = options;
  const settings = new RegistrationSettings(db, clock);
  const store = new ClientStore(db, clock, async (client) => decisionOf((await settings.current()).rules, client));
  const limits = new RateLimits(clock);
  const documents = new ClientDocuments(store, limits, clock, async () => (await settings.current()).metadataDocuments === 'on');
  const keys = new SigningKeys(bus, db, changes);
  const resources = new Resources(bus, origin, clock);
  const gate = gateOf(options, { limits, resources, keys, settings });
  const server = new AuthorizationServer(
    {
      ...{ db, changes, clock, origin, clients: store, documents, resources, gate, log, assertionIssuer: options.assertionIssuer },
      signedIn: new SignedIn(db, sessions),
      fetch: documents.fetching(fetchFor(options.outbound, settings)),
      redirectSchemes: () => settings.held.redirectSchemes,
    },
    keys,
  );
  const rotation = new KeyRotation({ keys, server, log, clock });
  const sweep = new ClientSweep({ db, settings, log, clock });
  const consent = { provider: () => server.provider, sessions, clients: store, clock, formKey: () => keys.current!.cookieKeys[0]! };
  return {
    ...{ server, rotation, keys, clients: new Clients({ db, changes, settings, log, clock }), grants: new Grants({ db, changes, log, clock }) },
    register: (app) => registerInteractions(app, consent),
    ...running([server, rotation, sweep]),
  };
}

interface Running {
  start(): void;
  stop(): Promise<void> | void;
}

function running(parts: readonly Running[]): Pick<Authorization, 'start' | 'close'> {
  return {
    start: () => parts.forEach((part) => part.start()),
    close: async () => void (await Promise.all(parts.map((part) => part.stop()))),
  };
}

interface GateParts {
  limits: RateLimits;
  resources: Resources;
  keys: SigningKeys;
  settings: RegistrationSettings;
}

function gateOf({ db, changes, clock, origin, log }: AuthorizationOptions, { limits, resources, keys, settings }: GateParts): Gate {
  const publicKeys = () => keys.current?.keys ?? [];
  return {
    resources,
    limits,
    log,
    publicKeys,
    revokeAccessToken: (token, clientId) => revokeAccessToken({ origin, changes, clock, publicKeys }, token, clientId),
    admitRegistration: (ctx) => admitRegistration({ db, settings, clock }, ctx.get('authorization') || undefined),
    lookAtSettings: async () => void (await settings.current()),
  };
}

// Documents of the company's own clients may lie inside its network, where an administrator named the host.
function fetchFor(outbound: Outbound, settings: RegistrationSettings): typeof fetch {
  const [open, inside] = [false, true].map((allowPrivateNetwork) => guardedFetch(outbound, { ...DOCUMENT, allowPrivateNetwork }));
  return (async (input: string | URL, init: RequestInit) => {
    const { privateHosts } = await settings.current();
    return (privateHosts.includes(new URL(input).hostname) ? inside! : open!)(input, init);
  }) as typeof fetch;
}
