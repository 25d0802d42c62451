import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { actor, epochMs, identityId, serverId, serverName } from './names.js';
import { authStep, authVerdict, headerName, identityMode, serverAuth, upstreamOauth, upstreamServer } from './upstream.js';
import { credentialOwner } from './vault.js';

const headerValue = z.string().max(8_192).regex(/^[\t\x20-\x7e\x80-\xff]*$/);

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
