import type { Ephemeral } from '@gatehouse/ephemeral';
import type { Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { StatementKeys } from './call-statements/statement-keys.js';
import type { CredentialLeases } from './credentials/credential-leases.js';
import type { CallMetrics } from './call-metrics.js';
import type { CallLoad } from './call-load.js';
import type { ConnectLinks } from './identity/connect-links.js';
import type { ObtainedIdentities } from './identity/obtain-identity.js';
import type { Renewals } from './identity/renewals.js';
import type { Admission } from './http/admission.js';
import type { EdgeKeys } from './keys/edge-keys.js';
import type { SessionBook } from './sessions/session-book.js';
import type { OpenStreams } from './sessions/open-streams.js';
import type { PendingRequests } from './sessions/pending-requests.js';
import type { RememberedInitialize } from './sessions/remembered-initialize.js';
import type { UpstreamSessions } from './sessions/upstream-sessions.js';
import type { DirectoryState } from './snapshot/directory-state.js';
import type { PolicyState } from './snapshot/policy-state.js';
import type { Resources } from './tokens/resources.js';
import type { TokenCheck } from './tokens/token-check.js';
import type { SseUpstreams } from './upstream-sse/sse-upstreams.js';
import type { Spool } from './spool/spool.js';

/** What is in force at this edge right now, or the refusal that stands for its absence. */
export interface EdgeState {
  /** Refuses with `policy_stale` when the last word of policy is older than allowed. */
  policy(): PolicyState;
  /** Refuses with `directory_stale` when neither path of the revocation feed was heard of lately. */
  directory(): DirectoryState;
}

/** Everything the steps of a call use; made once at start, read-only afterwards. */
export interface Edge {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CallMetrics;
  readonly admission: Admission;
  readonly load: CallLoad;
  readonly state: EdgeState;
  /** Who calls. */
  readonly tokens: TokenCheck;
  /** The addresses that tokens are made for. */
  readonly resources: Resources;
  readonly keys: EdgeKeys;
  /** What servers that ask for it are told about calls. */
  readonly statements: StatementKeys;
  readonly sessions: SessionBook;
  readonly streams: OpenStreams;
  readonly pending: PendingRequests;
  /** Sessions at upstreams that were opened after their client's, and what the client said when it opened its own. */
  readonly upstreamSessions: UpstreamSessions;
  readonly initializes: RememberedInitialize;
  /** Upstreams of HTTP+SSE. */
  readonly sse: SseUpstreams;
  readonly leases: CredentialLeases;
  /** New credentials for those that ended or were refused. */
  readonly renewals: Renewals;
  /** Identities made from a person's sign-in. */
  readonly obtained: ObtainedIdentities;
  /** Where people connect accounts. */
  readonly connectLinks: ConnectLinks;
  readonly spool: Spool;
  readonly ephemeral: Ephemeral;
  /** How long upstreams are waited for: until the head, and in silence inside an answer. Milliseconds. */
  readonly patience: { readonly headMs: number; readonly silenceMs: number };
  /** True once a stop was asked for: new calls are refused with `draining`. */
  draining: boolean;
}
