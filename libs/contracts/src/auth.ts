import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { actor, displayText, epochMs, personId, tokenId } from './names.js';
import { snapshotReply, snapshotRequest, snapshotVersion } from './snapshot.js';

/** What a role may do in the admin API (glossary: capability). */
export const CAPABILITIES = [
  'servers.manage',
  'servers.read',
  'policies.manage',
  'policies.read',
  'audit.read',
  'people.manage',
  'tokens.manage',
  'system.read',
] as const;

/** One of the capabilities. */
export type Capability = (typeof CAPABILITIES)[number];

/** The built-in roles and their capabilities; a member may only call what policy permits and manage their own tokens. */
export const ROLES = {
  administrator: CAPABILITIES,
  member: [],
} as const satisfies Record<string, readonly Capability[]>;

/** Name of a built-in role. */
export type RoleName = keyof typeof ROLES;

const roleName = z.enum(Object.keys(ROLES) as [RoleName, ...RoleName[]]);

/** What a token may be used for: calling MCP endpoints, or the admin API with its person's capabilities. */
export const TOKEN_SCOPES = ['mcp:access', 'admin'] as const;

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
  roles: z.array(roleName),
  teams: z.array(displayText(100)),
  status: z.enum(['active', 'disabled']),
  createdAt: epochMs,
});

/** A person. */
export type Person = z.infer<typeof person>;

/** A token as the admin API shows it: everything but the token. */
export const tokenSummary = z.strictObject({
  id: tokenId,
  personId,
  name: displayText(200),
  scopes: z.array(tokenScope),
  createdAt: epochMs,
  expiresAt: epochMs.nullable(),
  revokedAt: epochMs.nullable(),
});

/** A token without its secret. */
export type TokenSummary = z.infer<typeof tokenSummary>;

/** The signed text of the directory: what an edge needs to know who calls. */
export const directory = z.strictObject({
  ...snapshotVersion.shape,
  /** When auth last signed it; a directory older than the lease is not trusted. */
  issuedAt: epochMs,
  people: z.array(
    z.strictObject({
      id: personId,
      name: z.string(),
      email: z.string().nullable(),
      roles: z.array(z.string()),
      teams: z.array(z.string()),
      capabilities: z.array(z.string()),
    }),
  ),
  /** Only tokens that may be used; `digest` is SHA-256 of the whole token, base64url. */
  tokens: z.array(
    z.strictObject({
      id: tokenId,
      digest: z.string(),
      personId,
      scopes: z.array(z.string()),
      expiresAt: epochMs.nullable(),
    }),
  ),
});

/** The directory snapshot. */
export type Directory = z.infer<typeof directory>;

/** Key in the ephemeral store under which auth mirrors the signed directory: the second path of the revocation feed. */
export const DIRECTORY_MIRROR_KEY = 'auth:directory';

/** What stands under the mirror key, as JSON: the signed text whole. */
export const directoryMirror = z.strictObject({ text: z.string(), keyId: z.string(), signature: z.string() });

/** The directory snapshot, in pieces. */
export const getDirectory = defineRequest({
  subject: 'rpc.v1.auth.directory.get',
  owner: 'auth',
  request: snapshotRequest,
  reply: snapshotReply,
});

/** A new directory can be fetched. */
export const directoryPublished = defineEvent({
  subject: 'evt.v1.auth.directory.published',
  owner: 'auth',
  consumers: ['gateway'],
  payload: snapshotVersion,
});

/** The context a new token is sealed under on its way to the edge. */
export const tokenContext = (id: string): string => `auth.token:${id}`;

/** Makes a token. It is shown once: sealed to the asking edge, which hands it to the person who asked. */
export const createToken = defineRequest({
  subject: 'rpc.v1.auth.token.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    personId,
    name: displayText(200),
    scopes: z.array(tokenScope).min(1),
    expiresAt: epochMs.nullable(),
    edgeKey: z.string(),
  }),
  reply: z.strictObject({ token: tokenSummary, sealed: z.string() }),
  errors: ['not_found', 'bad_request'],
});

/** Tokens of one person, or of all. */
export const listTokens = defineRequest({
  subject: 'rpc.v1.auth.token.list',
  owner: 'auth',
  request: z.strictObject({ personId: personId.nullable() }),
  reply: z.strictObject({ items: z.array(tokenSummary) }),
});

/** Revokes a token; `ownedBy` restricts it to that person's tokens. */
export const revokeToken = defineRequest({
  subject: 'rpc.v1.auth.token.revoke',
  owner: 'auth',
  request: z.strictObject({ actor, tokenId, ownedBy: personId.nullable() }),
  reply: z.strictObject({ token: tokenSummary, directory: snapshotVersion }),
  errors: ['not_found'],
});

/** Adds a person who may be given tokens. */
export const createPerson = defineRequest({
  subject: 'rpc.v1.auth.person.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: displayText(200),
    email: z.email().max(320).nullable(),
    roles: z.array(roleName).min(1),
    teams: z.array(displayText(100)).max(50),
  }),
  reply: person,
  errors: ['conflict'],
});

/** All people. */
export const listPeople = defineRequest({
  subject: 'rpc.v1.auth.person.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(person) }),
});

/** Disables a person: every token of theirs stops working. */
export const disablePerson = defineRequest({
  subject: 'rpc.v1.auth.person.disable',
  owner: 'auth',
  request: z.strictObject({ actor, personId }),
  reply: person,
  errors: ['not_found', 'conflict'],
});
