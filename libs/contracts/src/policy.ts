import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { actor, displayText, epochMs, identityId, personId, policyName, serverId, serverName } from './names.js';
import { snapshotReply, snapshotRequest, snapshotVersion } from './snapshot.js';
import { authStep, authVerdict, headerName, identityMode, preset, serverAuth, upstreamOauth, upstreamServer } from './upstream.js';
import { credentialOwner } from './vault.js';

/** The policy that a first start writes, in plain sight: signed-in people may call everything. */
export const FIRST_POLICY_NAME = 'signed-in-people-may-call';

const headerValue = z.string().max(8_192).regex(/^[\t\x20-\x7e\x80-\xff]*$/);

export { identityMode } from './upstream.js';

/** How a server is spoken to; `auto` is what the first probe finds. */
export const transport = z.enum(['auto', 'streamable-http', 'sse']);

/** Why a probe failed. */
export const failureClass = z.enum([
  'dns',
  'refused',
  'timeout',
  'tls_expired',
  'tls_not_yet_valid',
  'tls_wrong_host',
  'tls_unknown_authority',
  'tls_self_signed',
  'tls_broken_chain',
  'tls_protocol',
  'unauthenticated',
  'url_refused',
  'credential',
  'not_mcp',
  'protocol',
  'upstream_error',
]);

/** What the last probe found. */
export const serverHealth = z.strictObject({
  status: z.enum(['unknown', 'healthy', 'failing']),
  failure: failureClass.nullable(),
  /** One sentence for people; never upstream text or addresses. */
  detail: z.string().max(500).nullable(),
  checkedAt: epochMs.nullable(),
  protocolVersion: z.string().nullable(),
  serverInfo: z.strictObject({ name: z.string(), version: z.string() }).nullable(),
  /** What it speaks; null when the probe did not come to know. */
  transport: z.enum(['streamable-http', 'sse']).nullable().default(null),
  /** What finding out how to sign in there met, hop by hop; empty when nothing was to find out: what was found before stays. */
  steps: z.array(authStep).max(30).default([]),
  /** What it needs before calls can succeed; null as `steps` is empty. */
  verdict: authVerdict.nullable().default(null),
  /** What to do next, for people. */
  advice: z.string().max(600).nullable().default(null),
});

/** Longest text of the certificates that one server is given. */
const MAX_CA_CHARS = 65_536;

/** A certificate that is trusted for one server alone, as it is shown. */
export const trustedCertificate = z.strictObject({
  subject: z.string().max(300),
  /** SHA-256 over the certificate, hex with colons. */
  fingerprint: z.string().max(100),
  expiresAt: epochMs,
});

/** A registered server. */
export const server = z.strictObject({
  id: serverId,
  name: serverName,
  url: z.string(),
  /** As set; `health.transport` says what `auto` came to. */
  transport,
  /** As set; `health.verdict` says what `auto` came to. */
  auth: serverAuth.default('auto'),
  /** What an administrator set; the preset's settings apply where this says nothing. */
  oauth: upstreamOauth.default({}),
  /** Name of the preset that its host has. */
  preset: serverName.nullable().default(null),
  /** Every call carries a signed statement of who calls, which the server can demand. */
  signCalls: z.boolean().default(false),
  /** Headers of the client that go up as they came. */
  forwardHeaders: z.array(headerName).max(32).default([]),
  /** Until when each hop of its calls is logged. */
  debugUntil: epochMs.nullable().default(null),
  /** POST only: GET, HEAD and DELETE are answered 405 here and never reach it. */
  stateless: z.boolean(),
  allowPrivateNetwork: z.boolean(),
  caCertificates: z.array(trustedCertificate),
  state: z.enum(['running', 'stopped']),
  /** Whose credential its calls carry: as set, or what follows from what probes found. */
  identityMode,
  /** Plain headers sent with every request. */
  headers: z.array(z.tuple([headerName, headerValue])),
  /** Names only of the headers whose values the vault holds. */
  secretHeaders: z.array(headerName),
  health: serverHealth,
  tools: z.int(),
  resources: z.int(),
  prompts: z.int(),
  createdAt: epochMs,
  /** Revision of the row: the ETag of the admin API. */
  revision: z.int().min(1),
});

/** A registered server as the admin API shows it. */
export type Server = z.infer<typeof server>;

/** One thing a server offers, as a probe saw it. */
export const observedItem = z.strictObject({
  kind: z.enum(['tool', 'resource', 'resourceTemplate', 'prompt']),
  /** Tool or prompt name, URI or URI template. */
  name: z.string().max(2_048),
  title: z.string().max(300).nullable(),
  description: z.string().max(1_000).nullable(),
  /** SHA-256 over the canonical definition, base64url. */
  fingerprint: z.string(),
});

/** One thing a server offers. */
export type ObservedItem = z.infer<typeof observedItem>;

/** A policy as written. */
export const policy = z.strictObject({
  name: policyName,
  version: z.int().min(1),
  text: z.string().max(65_536),
  updatedAt: epochMs,
  updatedBy: personId.nullable(),
});

/** A policy. */
export type Policy = z.infer<typeof policy>;

/** The signed text of the policy snapshot: all an edge needs to decide and to route. */
export const policySnapshot = z.strictObject({
  ...snapshotVersion.shape,
  issuedAt: epochMs,
  servers: z.array(
    z.strictObject({
      id: serverId,
      name: serverName,
      url: z.string(),
      stateless: z.boolean(),
      allowPrivateNetwork: z.boolean(),
      /** PEM, trusted for connections to this server alone. */
      caCertificate: z.string().nullable(),
      state: z.enum(['running', 'stopped']),
      /** Never `auto` once a probe found out. */
      transport: transport.default('streamable-http'),
      auth: serverAuth.default('none'),
      /** How tokens come about where `auth` is `oauth` and something is set; null: people connect their accounts. */
      grant: upstreamOauth.shape.grant.unwrap().nullable().default(null),
      signCalls: z.boolean().default(false),
      forwardHeaders: z.array(z.string()).default([]),
      debugUntil: epochMs.nullable().default(null),
      /** How often it was restarted: a greater number than before tells an edge to forget leases and connections. */
      restarts: z.int().min(0),
      identityMode,
      headers: z.array(z.tuple([z.string(), z.string()])),
      /** Fingerprints of the tools a probe saw, by tool name: what a record says was called. */
      tools: z.record(z.string(), z.string()),
    }),
  ),
  policies: z.array(z.strictObject({ name: policyName, version: z.int(), text: z.string() })),
});

/** The policy snapshot. */
export type PolicySnapshot = z.infer<typeof policySnapshot>;

/** One server as the snapshot carries it. */
export type SnapshotServer = PolicySnapshot['servers'][number];

/** The policy snapshot, in pieces. */
export const getPolicySnapshot = defineRequest({
  subject: 'rpc.v1.policy.snapshot.get',
  owner: 'policy',
  request: snapshotRequest,
  reply: snapshotReply,
});

/** A new policy snapshot can be fetched. */
export const policySnapshotPublished = defineEvent({
  subject: 'evt.v1.policy.snapshot.published',
  owner: 'policy',
  consumers: ['gateway'],
  payload: snapshotVersion,
});

/** Any one edge is to look at a server and report what it offers. */
export const probeOrdered = defineEvent({
  subject: 'evt.v1.policy.probe.ordered',
  owner: 'policy',
  consumers: ['gateway'],
  /** With fewer restarts in its snapshot an edge does not know yet what it is to look at. */
  payload: z.strictObject({
    serverId,
    probeId: z.string().max(64),
    restarts: z.int().min(0).default(0),
    /** Look as this one: its account was just connected. Null: as the organisation, if it has an account. */
    identity: z.strictObject({ id: identityId, owner: credentialOwner }).nullable().default(null),
    /** Find out anew how to sign in there. */
    anew: z.boolean().default(false),
  }),
});

/** What an edge saw when it looked, in parts of at most a hundred items; policy decides what it means. */
export const toolsObserved = defineEvent({
  subject: 'evt.v1.edge.tools.observed',
  owner: 'gateway',
  consumers: ['policy'],
  payload: z.strictObject({
    serverId,
    probeId: z.string().max(64),
    part: z.int().min(0),
    parts: z.int().min(1).max(100),
    health: serverHealth,
    items: z.array(observedItem).max(100),
  }),
});

/** Everything to register a server; its secrets are no part of it. */
export const serverInput = z.strictObject({
  id: serverId,
  name: serverName.nullable(),
  url: z.string().max(2_048),
  stateless: z.boolean().default(false),
  allowPrivateNetwork: z.boolean(),
  /** PEM of the authorities of a private network, or of a self-signed certificate itself. */
  caCertificate: z.string().max(MAX_CA_CHARS).nullable().default(null),
  transport: transport.default('auto'),
  auth: serverAuth.default('auto'),
  oauth: upstreamOauth.default({}),
  signCalls: z.boolean().default(false),
  forwardHeaders: z.array(headerName).max(32).default([]),
  /** Null: follows from what probes find (`private-or-global` where people can sign in, else `none` or, with secret headers, `global`). */
  identityMode: identityMode.nullable(),
  headers: z.array(z.tuple([headerName, headerValue])).max(32),
  secretHeaders: z.array(headerName).max(32),
});

/** Registers a server and orders its first probe. A null name is derived from the URL's host. */
export const addServer = defineRequest({
  subject: 'rpc.v1.policy.server.add',
  owner: 'policy',
  request: z.strictObject({ actor, server: serverInput }),
  reply: server,
  errors: ['conflict', 'url_refused', 'header_refused', 'certificate_refused'],
});

/** All servers, by name. */
export const listServers = defineRequest({
  subject: 'rpc.v1.policy.server.list',
  owner: 'policy',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(server) }),
});

const byName = z.strictObject({ name: serverName });

/** One server. */
export const getServer = defineRequest({
  subject: 'rpc.v1.policy.server.get',
  owner: 'policy',
  request: byName,
  reply: server,
  errors: ['unknown_server'],
});

/** What a server offered when it was last probed. */
export const listServerItems = defineRequest({
  subject: 'rpc.v1.policy.server.items',
  owner: 'policy',
  request: z.strictObject({ name: serverName, kind: observedItem.shape.kind.nullable() }),
  reply: z.strictObject({ items: z.array(observedItem) }),
  errors: ['unknown_server'],
});

const changeServer = (verb: string) =>
  defineRequest({
    subject: `rpc.v1.policy.server.${verb}`,
    owner: 'policy',
    request: z.strictObject({ actor, name: serverName, revision: z.int().nullable() }),
    reply: server,
    errors: ['unknown_server', 'precondition_failed'],
  });

/** Removes a server from the register; its endpoint is gone with the next snapshot. */
export const removeServer = changeServer('remove');
/** Stops a server: unlisted, and its calls are refused with `server_stopped`. */
export const stopServer = changeServer('stop');
/** Starts a stopped server and orders a probe. */
export const startServer = changeServer('start');
/** Starts a server if it is stopped, has every edge forget leases and connections to it, and orders a probe. */
export const restartServer = changeServer('restart');
/** Orders a probe now. */
export const probeServer = changeServer('probe');

/** Changes what is given; what is left out stays. Another origin or another way in orders a probe anew. */
export const patchServer = defineRequest({
  subject: 'rpc.v1.policy.server.patch',
  owner: 'policy',
  request: z.strictObject({
    actor,
    name: serverName,
    revision: z.int().nullable(),
    change: z.strictObject({
      url: z.string().max(2_048).optional(),
      transport: transport.optional(),
      stateless: z.boolean().optional(),
      allowPrivateNetwork: z.boolean().optional(),
      caCertificate: z.string().max(MAX_CA_CHARS).nullable().optional(),
      auth: serverAuth.optional(),
      oauth: upstreamOauth.optional(),
      identityMode: identityMode.nullable().optional(),
      headers: z.array(z.tuple([headerName, headerValue])).max(32).optional(),
      secretHeaders: z.array(headerName).max(32).optional(),
      signCalls: z.boolean().optional(),
      forwardHeaders: z.array(headerName).max(32).optional(),
    }),
  }),
  reply: server,
  errors: ['unknown_server', 'precondition_failed', 'url_refused', 'header_refused', 'certificate_refused', 'bad_params'],
});

/** Logs each hop of a server's calls for so many minutes; 0 ends it. Never bodies. */
export const debugServer = defineRequest({
  subject: 'rpc.v1.policy.server.debug',
  owner: 'policy',
  request: z.strictObject({ actor, name: serverName, minutes: z.int().min(0).max(24 * 60) }),
  reply: server,
  errors: ['unknown_server'],
});

/** A server as auth needs to know it, by id or by name; null when there is none. */
export const findUpstream = defineRequest({
  subject: 'rpc.v1.policy.upstream.find',
  owner: 'policy',
  callers: ['auth'],
  request: z.strictObject({ server: z.union([serverId, serverName]) }),
  reply: z.strictObject({ upstream: upstreamServer.nullable() }),
});

/** A preset as it is shown: `edited` ones were written by an administrator. */
export const shownPreset = z.strictObject({ ...preset.shape, source: z.enum(['built-in', 'edited']) });

/** All presets, by name. */
export const listPresets = defineRequest({
  subject: 'rpc.v1.policy.preset.list',
  owner: 'policy',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(shownPreset) }),
});

/** Writes a preset, over a built-in one by that name too. Its settings apply from the next sign-in on. */
export const putPreset = defineRequest({
  subject: 'rpc.v1.policy.preset.put',
  owner: 'policy',
  request: z.strictObject({ actor, preset }),
  reply: shownPreset,
  errors: ['bad_params', 'conflict', 'header_refused'],
});

/** Forgets what was written: a built-in preset is as it was shipped again. */
export const deletePreset = defineRequest({
  subject: 'rpc.v1.policy.preset.delete',
  owner: 'policy',
  request: z.strictObject({ actor, name: serverName }),
  reply: z.strictObject({ name: serverName }),
  errors: ['not_found'],
});

/** One line of a server's own log, as policy keeps it: what was done with it and what probes found. */
export const serverLine = z.strictObject({
  seq: z.int().min(1),
  at: epochMs,
  kind: z.enum(['state', 'probe']),
  event: z.enum(['registered', 'stopped', 'started', 'restarted', 'changed', 'healthy', 'waiting', 'failing', 'debug_on', 'debug_off']),
  /** For people; nothing of what the upstream said. */
  detail: z.string().max(600).nullable(),
});

/** One line of a server's own log. */
export type ServerLine = z.infer<typeof serverLine>;

/** The newest lines of a server's own log, oldest first; with `after` the first ones after that number. */
export const listServerLines = defineRequest({
  subject: 'rpc.v1.policy.server.lines',
  owner: 'policy',
  request: z.strictObject({ name: serverName, since: epochMs, after: z.int().min(0).nullable(), limit: z.int().min(1).max(1_000) }),
  reply: z.strictObject({ items: z.array(serverLine) }),
  errors: ['unknown_server'],
});

/** Writes one or more policies at once: all of them or none. */
export const applyPolicies = defineRequest({
  subject: 'rpc.v1.policy.policy.apply',
  owner: 'policy',
  request: z.strictObject({
    actor,
    policies: z.array(z.strictObject({ name: policyName, text: z.string().min(1).max(65_536) })).min(1).max(100),
  }),
  reply: z.strictObject({ items: z.array(policy), snapshot: snapshotVersion }),
  errors: ['invalid_policy'],
});

/** All policies, by name. */
export const listPolicies = defineRequest({
  subject: 'rpc.v1.policy.policy.list',
  owner: 'policy',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(policy) }),
});

/** One policy, newest version. */
export const getPolicy = defineRequest({
  subject: 'rpc.v1.policy.policy.get',
  owner: 'policy',
  request: z.strictObject({ name: policyName }),
  reply: policy,
  errors: ['not_found'],
});

/** Takes a policy out of force; its versions stay for the record. */
export const deletePolicy = defineRequest({
  subject: 'rpc.v1.policy.policy.delete',
  owner: 'policy',
  request: z.strictObject({ actor, name: policyName }),
  reply: z.strictObject({ snapshot: snapshotVersion }),
  errors: ['not_found'],
});

/** A question as people ask it: would this person be allowed this? */
export const policyQuestion = z.strictObject({
  person: z.strictObject({
    id: z.string().max(100),
    email: z.string().nullable().default(null),
    teams: z.array(displayText(100)).default([]),
    roles: z.array(z.string()).default(['member']),
  }),
  client: z.string().max(200).default(''),
  action: z.enum(['connect', 'call', 'get', 'read']),
  server: serverName,
  target: z.string().max(2_048).nullable().default(null),
  arguments: z.record(z.string(), z.json()).default({}),
});

/** What the engine answers, with the policies that decided. */
export const policyAnswer = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  reason: z.enum(['permitted', 'forbidden', 'no_policy', 'evaluation_error']),
  policies: z.array(z.string()),
});

/** Asks the engine that edges use, over the policies in force or over a draft in their place. */
export const testPolicy = defineRequest({
  subject: 'rpc.v1.policy.policy.test',
  owner: 'policy',
  request: z.strictObject({
    question: policyQuestion,
    draft: z.array(z.strictObject({ name: policyName, text: z.string().max(65_536) })).max(100).nullable(),
  }),
  reply: policyAnswer,
  errors: ['invalid_policy', 'unknown_server'],
});

/**
 * The endpoint by that name, or, for a client that names none (2025-03-26), the only one there is: auth
 * mints tokens for addresses that are served and for no others.
 */
export const findEndpoint = defineRequest({
  subject: 'rpc.v1.policy.endpoint.find',
  owner: 'policy',
  callers: ['auth'],
  request: z.strictObject({ slug: serverName.nullable() }),
  reply: z.strictObject({ slug: serverName.nullable() }),
});
