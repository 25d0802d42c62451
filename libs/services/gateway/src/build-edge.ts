import type { Bus } from '@gatehouse/bus';
import { edgeContracts, vaultContracts, type directoryContracts, type policyContracts } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import type { Clock } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import type { Logger, Metrics } from '@gatehouse/telemetry';
import { CallLoad } from './call-load.js';
import { CallMetrics } from './call-metrics.js';
import { SignedDestinations } from './call-statements/signed-destinations.js';
import { StatementKeys } from './call-statements/statement-keys.js';
import { CredentialLeases } from './credentials/credential-leases.js';
import type { Edge } from './edge.js';
import { SnapshotState } from './edge-state.js';
import type { GatewaySettings } from './gateway-config.js';
import { Admission } from './http/admission.js';
import { ConnectLinks } from './identity/connect-links.js';
import { ObtainedIdentities } from './identity/obtain-identity.js';
import { Renewals } from './identity/renewals.js';
import { EdgeKeys } from './keys/edge-keys.js';
import { LIMITS } from './limits.js';
import { ProbeRunner } from './probe/probe-runner.js';
import { OpenStreams } from './sessions/open-streams.js';
import { PendingRequests } from './sessions/pending-requests.js';
import { RememberedInitialize } from './sessions/remembered-initialize.js';
import { SessionBook } from './sessions/session-book.js';
import { UpstreamSessions } from './sessions/upstream-sessions.js';
import { DirectoryMirror } from './snapshot/directory-mirror.js';
import { DirectoryState } from './snapshot/directory-state.js';
import { directoryFeed, policyFeed } from './snapshot/edge-feeds.js';
import { PolicyState } from './snapshot/policy-state.js';
import { forgetRestarted } from './snapshot/restarted-servers.js';
import type { SnapshotFeed } from './snapshot/snapshot-feed.js';
import type { Spool } from './spool/spool.js';
import { IssuerRequests } from './tokens/issuer-requests.js';
import { Resources } from './tokens/resources.js';
import { TokenCheck } from './tokens/token-check.js';
import { UpstreamProofs } from './upstream-proofs/upstream-proofs.js';
import { AskedElsewhere } from './upstream-sse/asked-elsewhere.js';
import { SseUpstreams } from './upstream-sse/sse-upstreams.js';
import { stillAllowed } from './upstream-sse/still-allowed.js';

/** What an edge is built from. */
export interface EdgeWorld {
  bus: Bus;
  ephemeral: Ephemeral;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  settings: GatewaySettings;
  spool: Spool;
}

/** The edge with the parts that feed it. */
export interface EdgeParts {
  edge: Edge;
  state: SnapshotState;
  keys: EdgeKeys;
  outbound: Outbound;
  statements: StatementKeys;
  policyFeed: SnapshotFeed<policyContracts.PolicySnapshot>;
  directoryFeed: SnapshotFeed<directoryContracts.Directory>;
  mirror: DirectoryMirror;
  probes: ProbeRunner;
}

/** Puts the parts of an edge together; nothing runs yet. */
export function buildEdge(world: EdgeWorld): EdgeParts {
  const { bus, ephemeral, clock, log, settings } = world;
  const [keys, state] = [new EdgeKeys(bus), new SnapshotState(settings)];
  const { ownPorts: forbiddenPorts, trustedCas } = settings;
  const outbound = new Outbound({ forbiddenPorts, trustedCas, maxConnectionsPerOrigin: LIMITS.connectionsPerOrigin });
  const issuer = settings.publicUrl.origin;
  const statements = new StatementKeys({ bus, pair: keys.pair, clock, log, issuer });
  const proofs = new UpstreamProofs(clock);
  const upstreams = new SignedDestinations(outbound, statements, { issuer, clock, proofs });
  const streams = new OpenStreams();
  const leases = new CredentialLeases({ bus, pair: keys.pair, clock, proofs });
  const policies = policyFeed({ bus, clock, log, keys }, (snapshot) => {
    const before = state.lastPolicy();
    const next = new PolicyState(snapshot, upstreams, before);
    state.replacePolicy(next);
    forgetRestarted(before, next, edge);
    setImmediate(() => reviewed(edge));
  });
  const directories = directoryFeed({ bus, clock, log, keys }, (snapshot) => {
    state.replaceDirectory(new DirectoryState(snapshot));
    setImmediate(() => reviewed(edge));
  });
  [state.policyFeed, state.directoryFeed] = [policies, directories];
  const tokens = tokenParts(world, state, directories);
  const patience = { headMs: settings.upstreamHeadMs, silenceMs: settings.upstreamSilenceMs };
  const initializes = new RememberedInitialize(ephemeral, () => keys.session, clock);
  const asked = new AskedElsewhere(ephemeral, () => keys.session);
  const edge: Edge = {
    ...tokens,
    ...{ clock, log, state, keys, statements, streams, leases, ephemeral, spool: world.spool },
    metrics: new CallMetrics(world.metrics),
    admission: new Admission(settings.publicUrl, settings.listen),
    load: new CallLoad(),
    sessions: new SessionBook(() => keys.session, ephemeral, bus, clock),
    pending: new PendingRequests(ephemeral),
    upstreamSessions: new UpstreamSessions(ephemeral, () => keys.session, clock),
    initializes,
    renewals: new Renewals(bus, leases, log),
    obtained: new ObtainedIdentities(bus, (version, limitMs) => directories.reached(version, limitMs)),
    connectLinks: new ConnectLinks(bus, log),
    sse: new SseUpstreams({ outbound: upstreams, clock, patience, asked, initializes, isStillAllowed: (who, server) => stillAllowed(who, server, state, tokens.tokens) }),
    patience,
    draining: false,
  };
  const mirror = new DirectoryMirror({ ephemeral, feed: directories, keys: () => keys.verification('directory'), clock, log });
  const probes = new ProbeRunner({ bus, edge, outbound: upstreams, policyWith: policyOf(state, policies), directory: directoryOf(state, directories) });
  return { edge, state, keys, outbound, statements, policyFeed: policies, directoryFeed: directories, mirror, probes };
}

function reviewed({ streams, sse }: Edge): void {
  streams.review();
  sse.review();
}

function policyOf(state: SnapshotState, feed: EdgeParts['policyFeed']) {
  return async (serverId: string, restarts: number): Promise<PolicyState | undefined> => {
    const known = state.lastPolicy()?.serverById(serverId);
    if (known === undefined || known.entry.restarts < restarts) await feed.refresh();
    return state.lastPolicy();
  };
}

// An edge that has just started may be given a probe before its first directory.
function directoryOf(state: SnapshotState, feed: EdgeParts['directoryFeed']) {
  return async (isAnew = false): Promise<DirectoryState> => {
    if (isAnew || feed.health() !== true) await feed.refresh();
    return state.directory();
  };
}

type DirectoryFeed = EdgeParts['directoryFeed'];

function tokenParts({ bus, clock, log, ephemeral, settings }: EdgeWorld, state: SnapshotState, feed: DirectoryFeed): Pick<Edge, 'resources' | 'tokens'> {
  const resources = new Resources(settings.publicUrl);
  const requests = new IssuerRequests({ bus, clock, log, reached: (version, limitMs) => feed.reached(version, limitMs) });
  const tokens = new TokenCheck({ clock, log, resources, ephemeral, requests, directory: () => state.directory() });
  return { resources, tokens };
}

/** Closes what client sessions that ended had open at upstreams. */
export function followSessionEnds(bus: Bus, sse: SseUpstreams): Promise<{ close(): Promise<void> }> {
  return bus.events.follow(edgeContracts.sessionEnded, ({ digest }) => sse.ended(digest));
}

/** Drops leases whose secrets changed. */
export function followCredentialChanges(bus: Bus, leases: CredentialLeases): Promise<{ close(): Promise<void> }> {
  return bus.events.follow(vaultContracts.credentialChanged, ({ identityId }) => leases.drop(identityId));
}
