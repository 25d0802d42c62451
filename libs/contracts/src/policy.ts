import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { actor, displayText, epochMs, personId, policyName, serverId, serverName } from './names.js';
import { snapshotReply, snapshotRequest, snapshotVersion } from './snapshot.js';
import { transport } from './servers.js';
import { identityMode, serverAuth, upstreamOauth } from './upstream.js';

/** The policy that a first start writes, in plain sight: signed-in people may call everything. */
export const FIRST_POLICY_NAME = 'signed-in-people-may-call';

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
