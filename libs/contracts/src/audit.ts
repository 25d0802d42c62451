import { z } from 'zod';
import { defineRequest } from './define.js';
import { epochMs } from './names.js';

const digest = z.string().max(64);
const step = z.number().min(0);

/** Milliseconds spent in each step of a call. */
export const stepTimings = z.strictObject({
  receive: step.optional(),
  authenticate: step.optional(),
  resolve: step.optional(),
  authorize: step.optional(),
  /** Waiting until the intent is durable. */
  record: step.optional(),
  credential: step.optional(),
  /** Until the upstream's first byte. */
  forward: step.optional(),
  /** From the upstream's first byte until the stream ended. */
  respond: step.optional(),
  total: step.optional(),
});

/**
 * The request to the server, told of calls made while the server is being debugged: milliseconds since it was
 * handed over. The three of the connection are there for new ones alone; `none` when nothing was sent.
 */
export const recordHops = z.strictObject({
  connection: z.enum(['none', 'new', 'reused']),
  /** Bytes of the bodies. */
  bytesUp: z.int().min(0),
  bytesDown: z.int().min(0),
  dns: step.optional(),
  connect: step.optional(),
  tls: step.optional(),
  /** Until the head of the answer. */
  firstByte: step.optional(),
  /** Until its last byte, or until it broke off. */
  end: step.optional(),
});

/** The request to the server. */
export type RecordHops = z.infer<typeof recordHops>;

/** Milliseconds per step. */
export type StepTimings = z.infer<typeof stepTimings>;

/** Who called, as the token said. */
export const recordCaller = z.strictObject({
  kind: z.enum(['person', 'service_account', 'anonymous']),
  id: z.string().nullable(),
  name: z.string().nullable(),
  /** The personal access token or the grant it came with. */
  tokenId: z.string().nullable(),
  address: z.string().nullable(),
});

/** What was decided, by which policies of which snapshot. */
export const recordDecision = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  reason: z.enum(['permitted', 'forbidden', 'no_policy', 'evaluation_error']),
  policies: z.array(z.string()).readonly(),
  snapshot: z.string(),
});

/** Whose credential was attached. */
export const recordIdentity = z.strictObject({
  visibility: z.enum(['private', 'global', 'none']),
  id: z.string().nullable(),
  /** Its name among those of its owner, and why it was this one. */
  name: z.string().optional(),
  reason: z.string().optional(),
});

/** How it ended. `tool_error` is a result the tool itself marked as an error. */
export const outcomeStatus = z.enum(['ok', 'tool_error', 'error', 'refused', 'cancelled', 'upstream_error', 'unknown']);

/** What is known of a call before it is forwarded (or of what was refused or changed). */
export const recordFacts = z.strictObject({
  kind: z.enum(['mcp', 'admin', 'auth']),
  caller: recordCaller,
  client: z.strictObject({
    /** OAuth client id; absent for personal access tokens. */
    id: z.string().optional(),
    name: z.string().nullable(),
    version: z.string().nullable(),
    userAgent: z.string().nullable(),
  }),
  /** Protocol versions on both sides. */
  eras: z.strictObject({ client: z.string().nullable(), upstream: z.string().nullable() }),
  endpoint: z.string().nullable(),
  server: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
  /** MCP method, or for the admin API the operation (`servers.add`). */
  method: z.string().nullable(),
  /** Tool, prompt or resource; for the admin API what was changed. */
  target: z.string().nullable(),
  /** Fingerprint of the tool's definition when it was last probed. */
  definition: z.string().nullable(),
  argumentKeys: z.array(z.string()).max(100),
  /** HMAC-SHA256 under the deployment's digest key, base64url. */
  argumentsDigest: digest.nullable(),
  decision: recordDecision.nullable(),
  identity: recordIdentity.nullable(),
  sessionDigest: digest.nullable(),
  traceId: z.string().max(64).nullable(),
  bytesIn: z.int().min(0),
});

/** What is known of a call before it is forwarded. */
export type RecordFacts = z.infer<typeof recordFacts>;

/** How a call ended. */
export const recordOutcome = z.strictObject({
  status: outcomeStatus,
  /** Code of the error table for what Gatehouse refused, or the JSON-RPC code of the upstream as text. */
  code: z.string().nullable(),
  /** Why the upstream could not be used, in a word of ours (`tls_expired`), where there is one. */
  reason: z.string().max(64).optional(),
  httpStatus: z.int().nullable(),
  upstreamStatus: z.int().nullable(),
  resultDigest: digest.nullable(),
  bytesOut: z.int().min(0),
  events: z.int().min(0),
  steps: stepTimings,
  hops: recordHops.optional(),
  faultId: z.string().nullable(),
});

/** How a call ended. */
export type RecordOutcome = z.infer<typeof recordOutcome>;

/** Which edge wrote an entry, in which life of it, at which place of its spool: contiguous per edge. */
export const entryOrigin = z.strictObject({ edge: z.string(), boot: z.string(), seq: z.int().min(1) });

const entryBase = { v: z.literal(1), id: z.string(), callId: z.string(), at: epochMs, monotonic: z.number(), origin: entryOrigin };

/**
 * One line of an edge's spool. An `intent` is durable before the upstream is contacted and gets one
 * `outcome`; a `single` is whole in itself (a refusal, an admin change).
 */
export const spoolEntry = z.discriminatedUnion('phase', [
  z.strictObject({ ...entryBase, phase: z.literal('intent'), facts: recordFacts }),
  z.strictObject({ ...entryBase, phase: z.literal('outcome'), outcome: recordOutcome }),
  z.strictObject({ ...entryBase, phase: z.literal('single'), facts: recordFacts, outcome: recordOutcome }),
]);

/** One line of an edge's spool. */
export type SpoolEntry = z.infer<typeof spoolEntry>;

/**
 * Ships entries, verbatim as they stand in the spool. The reply is the commit receipt: everything of
 * this edge up to `upTo` is in the database, and only then may the edge forget it.
 */
export const appendEntries = defineRequest({
  subject: 'rpc.v1.audit.entries.append',
  owner: 'audit',
  request: z.strictObject({
    edge: z.string().max(64),
    entries: z.array(z.strictObject({ seq: z.int().min(1), body: z.string().max(64_000) })).min(1).max(1_000),
  }),
  reply: z.strictObject({ upTo: z.int().min(0) }),
  timeoutMs: 15_000,
});

/** One record: intent and outcome joined. `outcome` is null while the call runs. */
export const auditRecord = z.strictObject({
  id: z.string(),
  seq: z.int(),
  at: epochMs,
  facts: recordFacts,
  outcome: recordOutcome.nullable(),
  edge: z.string(),
});

/** One record. */
export type AuditRecord = z.infer<typeof auditRecord>;

/** What to look for; all given must hold. */
export const recordFilter = z.strictObject({
  since: epochMs.optional(),
  until: epochMs.optional(),
  kind: z.enum(['mcp', 'admin', 'auth']).optional(),
  /** Person id, name or e-mail. */
  caller: z.string().max(320).optional(),
  server: z.string().max(100).optional(),
  tool: z.string().max(300).optional(),
  method: z.string().max(100).optional(),
  decision: z.enum(['allow', 'deny']).optional(),
  policy: z.string().max(200).optional(),
  outcome: outcomeStatus.optional(),
  code: z.string().max(100).optional(),
  traceId: z.string().max(64).optional(),
  id: z.string().max(64).optional(),
  /** Calls that ended in an error, whose upstream took longer than this (milliseconds), or whose server was being debugged. */
  troubledBeyondMs: z.int().min(0).optional(),
});

/** What to look for. */
export type RecordFilter = z.infer<typeof recordFilter>;

/**
 * Pages through records: newest first, or, with `follow`, in commit order from the cursor on, so that
 * a record that arrives late is never skipped. `waitMs` holds a follow open until something is there.
 */
export const queryRecords = defineRequest({
  subject: 'rpc.v1.audit.records.query',
  owner: 'audit',
  request: z.strictObject({
    filter: recordFilter,
    follow: z.boolean().default(false),
    cursor: z.string().max(500).nullable().default(null),
    limit: z.int().min(1).max(1_000).default(50),
    waitMs: z.int().min(0).max(5_000).default(0),
  }),
  reply: z.strictObject({ items: z.array(auditRecord), nextCursor: z.string().nullable() }),
  errors: ['invalid_cursor'],
  timeoutMs: 10_000,
});
