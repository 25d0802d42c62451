const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of what one call may cost; each is a refusal with its own code. */
export const LIMITS = {
  /** Body of a POST (the SDK's own cap). */
  requestBytes: 4 * MIB,
  /** How long a body may take to arrive. */
  requestMs: 30_000,
  /** A JSON answer up to here is checked whole before its first byte goes out; a longer one is checked while it streams. */
  wholeAnswerBytes: 256 * KIB,
  /** All bytes of one JSON answer. */
  answerBytes: 64 * MIB,
  /** A list, an initialize result: what must be rewritten is held whole. */
  rewrittenAnswerBytes: 8 * MIB,
  /** One server-sent event. */
  eventBytes: 4 * MIB,
  /** All bytes of one event stream that answers a request. */
  streamBytes: 256 * MIB,
  /** Events of one event stream that answers a request: tiny ones cost more to look at than their bytes say. */
  streamEvents: 50_000,
  /** Bytes of an event stream without any event in them: comments alone keep nothing alive for so long. */
  silentBytes: 4 * MIB,
  /** A comment goes to the client after this much silence: proxies cut idle streams at 60 s. */
  keepAliveMs: 15_000,
  /** Open streams of one caller on one edge. */
  streamsPerCaller: 256,
  /** Calls of one caller in flight on one edge. */
  callsPerCaller: 1_024,
  /** To one upstream: each open stream holds one for as long as its client listens, so this bounds how many clients one server has here. */
  connectionsPerOrigin: 8_192,
  /** Length of a session id of an upstream; visible ASCII only. */
  upstreamSessionIdChars: 1_024,
  /** Length of an event id of an upstream. */
  eventIdChars: 1_024,
  sessionMs: 24 * 3_600_000,
  /** Connections to HTTP+SSE servers, one per client session: of one caller, to one server, of this edge. */
  sseSessionsPerCaller: 64,
  sseSessionsPerServer: 1_024,
  sseSessions: 4_096,
  /** Such a connection that nobody uses is closed; the next call opens another. */
  sseIdleMs: 15 * 60_000,
  /** The same for one that nobody used since it was opened: its client never came back. */
  sseUnusedMs: 60_000,
  /** What such a server sends while nobody listens is kept up to here, the newest of it. */
  sseHeldBytes: 1024 * 1024,
  sseHeldMessages: 64,
} as const;
