import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, displayText, epochMs, issuerName, roleName, serviceAccountId, teamName } from './names.js';
import { snapshotVersion } from './snapshot.js';

/** A role: a named set of capabilities. Built-in ones never change. */
export const role = z.strictObject({
  name: roleName,
  description: z.string().max(500),
  capabilities: z.array(z.string().max(64)),
  builtIn: z.boolean(),
});

/** A role. */
export type Role = z.infer<typeof role>;

/** All roles, the built-in ones first. */
export const listRoles = defineRequest({
  subject: 'rpc.v1.auth.role.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(role) }),
});

/** Makes or replaces a custom role. Nobody can grant what they do not have: `capability_missing` names what the actor lacks. */
export const putRole = defineRequest({
  subject: 'rpc.v1.auth.role.put',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: roleName,
    description: displayText(500).or(z.literal('')),
    capabilities: z.array(z.string().max(64)).max(100),
  }),
  reply: z.strictObject({ role, directory: snapshotVersion }),
  errors: ['bad_request', 'conflict', 'capability_missing'],
});

/** Deletes a custom role; refuses with `conflict` while a person, team or service account has it. */
export const deleteRole = defineRequest({
  subject: 'rpc.v1.auth.role.delete',
  owner: 'auth',
  request: z.strictObject({ actor, name: roleName }),
  reply: z.strictObject({ deleted: z.literal(true) }),
  errors: ['not_found', 'conflict', 'capability_missing'],
});

/** A group of an identity provider, or of SCIM, whose people belong to a team. */
export const groupMapping = z.strictObject({ provider: z.union([issuerName, z.literal('scim')]), group: displayText(200) });

/** A team: people by name and by group, and the roles that all of them have. */
export const team = z.strictObject({
  name: teamName,
  roles: z.array(roleName),
  groups: z.array(groupMapping),
  /** People and service accounts in it now. */
  members: z.int().min(0),
});

/** A team. */
export type Team = z.infer<typeof team>;

/** All teams. */
export const listTeams = defineRequest({
  subject: 'rpc.v1.auth.team.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(team) }),
});

/** Makes or replaces a team's roles and groups. */
export const putTeam = defineRequest({
  subject: 'rpc.v1.auth.team.put',
  owner: 'auth',
  request: z.strictObject({ actor, name: teamName, roles: z.array(roleName).max(50), groups: z.array(groupMapping).max(500) }),
  reply: z.strictObject({ team, directory: snapshotVersion }),
  errors: ['bad_request', 'conflict', 'capability_missing'],
});

/** Deletes a team; its people lose what it gave them. */
export const deleteTeam = defineRequest({
  subject: 'rpc.v1.auth.team.delete',
  owner: 'auth',
  request: z.strictObject({ actor, name: teamName }),
  reply: z.strictObject({ directory: snapshotVersion }),
  errors: ['not_found', 'conflict', 'capability_missing'],
});

/** How a service account proves itself at the token endpoint; its id is its `client_id`. */
export const serviceAccountAuth = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('none') }),
  z.strictObject({ method: z.literal('secret') }),
  z.strictObject({ method: z.literal('private_key_jwt'), jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(10) }) }),
]);

/** A caller that is no person: an agent, a job. */
export const serviceAccount = z.strictObject({
  id: serviceAccountId,
  name: displayText(200),
  roles: z.array(roleName),
  teams: z.array(teamName),
  auth: z.enum(['none', 'secret', 'private_key_jwt']),
  /** When its secret was last made. */
  secretAt: epochMs.nullable(),
  status: z.enum(['active', 'disabled']),
  createdAt: epochMs,
});

/** A service account. */
export type ServiceAccount = z.infer<typeof serviceAccount>;

/** The context a new client secret is sealed under on its way to the edge. */
export const clientSecretContext = (clientId: string): string => `auth.client-secret:${clientId}`;

/** All service accounts. */
export const listServiceAccounts = defineRequest({
  subject: 'rpc.v1.auth.service-account.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(serviceAccount) }),
});

/** Adds a service account; a secret is made here, sealed to the edge and shown once. */
export const createServiceAccount = defineRequest({
  subject: 'rpc.v1.auth.service-account.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: displayText(200),
    roles: z.array(roleName).min(1).max(50),
    teams: z.array(teamName).max(50),
    auth: serviceAccountAuth,
    edgeKey: z.string(),
  }),
  reply: z.strictObject({ serviceAccount, sealedSecret: z.string().nullable(), directory: snapshotVersion }),
  errors: ['bad_request', 'conflict', 'capability_missing'],
});

/** Changes how it proves itself, or makes a new secret; the old one stops at once. */
export const replaceServiceAccountAuth = defineRequest({
  subject: 'rpc.v1.auth.service-account.replace-auth',
  owner: 'auth',
  request: z.strictObject({ actor, id: serviceAccountId, auth: serviceAccountAuth, edgeKey: z.string() }),
  reply: z.strictObject({ serviceAccount, sealedSecret: z.string().nullable(), directory: snapshotVersion }),
  errors: ['not_found', 'bad_request', 'capability_missing'],
});

/** Disables a service account for good: its tokens and grants are over. */
export const disableServiceAccount = defineRequest({
  subject: 'rpc.v1.auth.service-account.disable',
  owner: 'auth',
  request: z.strictObject({ actor, id: serviceAccountId }),
  reply: z.strictObject({ serviceAccount, directory: snapshotVersion }),
  errors: ['not_found', 'capability_missing'],
});
