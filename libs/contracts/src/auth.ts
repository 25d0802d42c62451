import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, callerId, displayText, epochMs, personId, roleName, teamName, tokenId } from './names.js';
import { snapshotVersion } from './snapshot.js';

/** What a role may do in the admin API (glossary: capability). */
export const CAPABILITIES = [
  'servers.manage',
  'servers.read',
  'policies.manage',
  'policies.read',
  'identities.manage',
  'identities.read',
  'audit.read',
  'people.manage',
  'people.read',
  'roles.manage',
  'tokens.manage',
  'clients.manage',
  'sso.manage',
  'vault.rotate',
  'system.read',
] as const;

/** One of the capabilities. */
export type Capability = (typeof CAPABILITIES)[number];

/** The built-in roles and their capabilities; a member may only call what policy permits and manage what is their own. */
export const ROLES = {
  administrator: CAPABILITIES,
  security: ['policies.manage', 'policies.read', 'identities.read', 'audit.read', 'servers.read', 'people.read', 'clients.manage'],
  operator: ['servers.manage', 'servers.read', 'identities.manage', 'identities.read', 'policies.read', 'people.read', 'system.read'],
  member: [],
} as const satisfies Record<string, readonly Capability[]>;

/** Name of a built-in role. */
export type BuiltInRole = keyof typeof ROLES;

/**
 * What a token may be used for: calling MCP endpoints, the admin API with its caller's capabilities,
 * provisioning people by SCIM, or registering OAuth clients where registration asks for a token.
 */
export const TOKEN_SCOPES = ['mcp:access', 'admin', 'scim', 'clients:register'] as const;

/** One of the scopes. */
export type TokenScope = (typeof TOKEN_SCOPES)[number];

const tokenScope = z.enum(TOKEN_SCOPES);

/** Every personal access token starts so: secret scanners and people recognise it. */
export const TOKEN_PREFIX = 'ghp_gatehouse_';

/** A person as the admin API shows them. */
export const person = z.strictObject({
  id: personId,
  name: displayText(200),
  email: z.email().max(320).nullable(),
  /** Given to this person by name; what teams add stands in `effective`. */
  roles: z.array(roleName),
  teams: z.array(teamName),
  /** With everything that groups and teams give. */
  effective: z.strictObject({ roles: z.array(roleName), teams: z.array(teamName), capabilities: z.array(z.string()) }),
  status: z.enum(['active', 'disabled']),
  /** How the person came: added here, by their first sign-in, or by SCIM. */
  source: z.enum(['local', 'sign-in', 'scim']),
  createdAt: epochMs,
  lastSignInAt: epochMs.nullable(),
});

/** A person. */
export type Person = z.infer<typeof person>;

/** A token as the admin API shows it: everything but the token. */
export const tokenSummary = z.strictObject({
  id: tokenId,
  callerId,
  name: displayText(200),
  scopes: z.array(tokenScope),
  createdAt: epochMs,
  expiresAt: epochMs.nullable(),
  revokedAt: epochMs.nullable(),
});

/** A token without its secret. */
export type TokenSummary = z.infer<typeof tokenSummary>;

/** The context a new token is sealed under on its way to the edge. */
export const tokenContext = (id: string): string => `auth.token:${id}`;

/** Makes a token. It is shown once: sealed to the asking edge, which hands it to the person who asked. */
export const createToken = defineRequest({
  subject: 'rpc.v1.auth.token.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    callerId,
    name: displayText(200),
    scopes: z.array(tokenScope).min(1),
    expiresAt: epochMs.nullable(),
    edgeKey: z.string(),
  }),
  reply: z.strictObject({ token: tokenSummary, sealed: z.string() }),
  errors: ['not_found', 'bad_request', 'capability_missing'],
});

/** Tokens of one caller, or of all. */
export const listTokens = defineRequest({
  subject: 'rpc.v1.auth.token.list',
  owner: 'auth',
  request: z.strictObject({ callerId: callerId.nullable() }),
  reply: z.strictObject({ items: z.array(tokenSummary) }),
});

/** Revokes a token; `ownedBy` restricts it to that caller's tokens. */
export const revokeToken = defineRequest({
  subject: 'rpc.v1.auth.token.revoke',
  owner: 'auth',
  request: z.strictObject({ actor, tokenId, ownedBy: callerId.nullable() }),
  reply: z.strictObject({ token: tokenSummary, directory: snapshotVersion }),
  errors: ['not_found', 'capability_missing'],
});

/** Adds a person who may sign in (by their verified address) or be given tokens. */
export const createPerson = defineRequest({
  subject: 'rpc.v1.auth.person.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: displayText(200),
    email: z.email().max(320).nullable(),
    roles: z.array(roleName).min(1).max(50),
    teams: z.array(teamName).max(50),
  }),
  reply: person,
  errors: ['conflict', 'bad_request', 'capability_missing'],
});

/** Changes what is given; what is left out stays. */
export const updatePerson = defineRequest({
  subject: 'rpc.v1.auth.person.update',
  owner: 'auth',
  request: z.strictObject({
    actor,
    personId,
    name: displayText(200).optional(),
    email: z.email().max(320).nullable().optional(),
    roles: z.array(roleName).min(1).max(50).optional(),
    teams: z.array(teamName).max(50).optional(),
  }),
  reply: z.strictObject({ person, directory: snapshotVersion }),
  errors: ['not_found', 'conflict', 'bad_request', 'capability_missing'],
});

/** All people. */
export const listPeople = defineRequest({
  subject: 'rpc.v1.auth.person.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(person) }),
});

/** Disables a person: every token, grant, sign-in and stream of theirs is over. */
export const disablePerson = defineRequest({
  subject: 'rpc.v1.auth.person.disable',
  owner: 'auth',
  request: z.strictObject({ actor, personId }),
  reply: z.strictObject({ person, directory: snapshotVersion }),
  errors: ['not_found', 'conflict', 'capability_missing'],
});

/** Lets a disabled person sign in again; what was revoked stays revoked. */
export const enablePerson = defineRequest({
  subject: 'rpc.v1.auth.person.enable',
  owner: 'auth',
  request: z.strictObject({ actor, personId }),
  reply: z.strictObject({ person, directory: snapshotVersion }),
  errors: ['not_found', 'conflict', 'capability_missing'],
});
