import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, callerId, clientId, displayText, epochMs, grantId } from './names.js';
import { snapshotVersion } from './snapshot.js';

/** Grants that a registered confidential client may use beside the authorization code (auth.md section 3, custom grants). */
export const SPECIAL_GRANTS = ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange'] as const;

/** An OAuth client as the admin API shows it: never a secret. */
export const oauthClient = z.strictObject({
  id: clientId,
  kind: z.enum(['registered', 'dynamic', 'metadata-document']),
  name: z.string(),
  /** Of its id for a metadata document, else of its first redirect URI; null for none. */
  host: z.string().nullable(),
  redirectUris: z.array(z.string()),
  authMethod: z.string(),
  grantTypes: z.array(z.string()),
  /** `waiting` until somebody with `clients.manage` lets it in, where a rule asks for that. */
  status: z.enum(['allowed', 'waiting', 'denied']),
  /** Access tokens of this client must be bound by DPoP (RFC 9449). */
  requireDpop: z.boolean(),
  createdAt: epochMs,
  lastUsedAt: epochMs.nullable(),
  /** Live grants. */
  grants: z.int().min(0),
});

/** An OAuth client. */
export type OauthClient = z.infer<typeof oauthClient>;

/** All clients that were ever seen and not removed. */
export const listClients = defineRequest({
  subject: 'rpc.v1.auth.client.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(oauthClient) }),
});

/** Registers a client by hand; a secret is made here, sealed to the edge under `clientSecretContext`, shown once. */
export const createClient = defineRequest({
  subject: 'rpc.v1.auth.client.create',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: displayText(80),
    redirectUris: z.array(z.string().max(512)).max(10),
    authMethod: z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']),
    jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(10) }).nullable(),
    specialGrants: z.array(z.enum(SPECIAL_GRANTS)).max(2),
    requireDpop: z.boolean(),
    requirePar: z.boolean(),
    edgeKey: z.string(),
  }),
  reply: z.strictObject({ client: oauthClient, sealedSecret: z.string().nullable() }),
  errors: ['bad_request'],
});

/** Lets a client in or keeps it out; keeping it out ends its grants. */
export const decideClient = defineRequest({
  subject: 'rpc.v1.auth.client.decide',
  owner: 'auth',
  request: z.strictObject({ actor, id: clientId, status: z.enum(['allowed', 'denied']) }),
  reply: z.strictObject({ client: oauthClient, directory: snapshotVersion }),
  errors: ['not_found'],
});

/** Removes a client and every grant of it. */
export const deleteClient = defineRequest({
  subject: 'rpc.v1.auth.client.delete',
  owner: 'auth',
  request: z.strictObject({ actor, id: clientId }),
  reply: z.strictObject({ directory: snapshotVersion }),
  errors: ['not_found'],
});

/** A rule about clients that register themselves; the first that matches, in order, decides; none matches: allowed. */
export const clientRule = z.strictObject({
  kind: z.enum(['dynamic', 'metadata-document', 'any']),
  /** Of the host of the client id (metadata documents) or of the redirect URIs (dynamic; all of them to allow, one of them to deny or review): a name, `*.name`, or `*`. */
  host: z.string().min(1).max(253).regex(/^(\*|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*)$/),
  /** Words in the client's name, compared without case; null matches every name. */
  name: displayText(80).nullable(),
  effect: z.enum(['allow', 'deny', 'review']),
  requireDpop: z.boolean(),
});

/** A rule about clients. */
export type ClientRule = z.infer<typeof clientRule>;

/** How clients may come by themselves. */
export const registrationSettings = z.strictObject({
  /** RFC 7591: for everybody, for who holds a token with `clients:register`, or not at all. */
  dynamic: z.enum(['open', 'token', 'off']),
  /** Client ID metadata documents. */
  metadataDocuments: z.enum(['on', 'off']),
  /** Registrations that were never used are forgotten after so many days. */
  unusedDays: z.int().min(1).max(365),
  /** Private-use schemes (`cursor`) that redirect URIs may have besides https and loopback. */
  redirectSchemes: z.array(z.string().regex(/^[a-z][a-z0-9+.-]{1,62}$/)).max(50),
  /** Hosts inside the company's network whose metadata documents may be fetched; all others must be public. */
  privateHosts: z.array(z.string().min(1).max(253)).max(50),
  rules: z.array(clientRule).max(200),
});

/** How clients may come by themselves. */
export type RegistrationSettings = z.infer<typeof registrationSettings>;

/** The settings in force. */
export const getRegistrationSettings = defineRequest({
  subject: 'rpc.v1.auth.client-registration.get',
  owner: 'auth',
  request: z.strictObject({}),
  reply: registrationSettings,
});

/** Replaces the settings. */
export const putRegistrationSettings = defineRequest({
  subject: 'rpc.v1.auth.client-registration.put',
  owner: 'auth',
  request: z.strictObject({ actor, settings: registrationSettings }),
  reply: registrationSettings,
  errors: ['bad_request'],
});

/** What our authorization server gave a client on behalf of a caller. */
export const grant = z.strictObject({
  id: grantId,
  callerId,
  callerName: z.string(),
  clientId,
  clientName: z.string(),
  /** Addresses of the endpoints. */
  resources: z.array(z.string()),
  scopes: z.array(z.string()),
  createdAt: epochMs,
  lastUsedAt: epochMs.nullable(),
  expiresAt: epochMs,
});

/** A grant. */
export type Grant = z.infer<typeof grant>;

/** Live grants of one caller, or of all. */
export const listGrants = defineRequest({
  subject: 'rpc.v1.auth.grant.list',
  owner: 'auth',
  request: z.strictObject({ callerId: callerId.nullable() }),
  reply: z.strictObject({ items: z.array(grant) }),
});

/** Ends a grant: refresh tokens are gone, access tokens refused at once; `ownedBy` restricts it to that caller's. */
export const revokeGrant = defineRequest({
  subject: 'rpc.v1.auth.grant.revoke',
  owner: 'auth',
  request: z.strictObject({ actor, id: grantId, ownedBy: callerId.nullable() }),
  reply: z.strictObject({ directory: snapshotVersion }),
  errors: ['not_found'],
});

/** A key that access tokens are signed with. */
export const signingKey = z.strictObject({
  id: z.string(),
  state: z.enum(['next', 'active', 'retired']),
  retiredAt: epochMs.nullable(),
});

/** A key that access tokens are signed with. */
export type SigningKey = z.infer<typeof signingKey>;

/** The keys access tokens are signed and verified with. */
export const listSigningKeys = defineRequest({
  subject: 'rpc.v1.auth.signing-key.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(signingKey) }),
  errors: ['service_unavailable'],
});

/** Signs with the next key from now on; with `retireNow` (a key was lost) tokens of the old one are refused at once. */
export const rotateSigningKey = defineRequest({
  subject: 'rpc.v1.auth.signing-key.rotate',
  owner: 'auth',
  timeoutMs: 10_000,
  request: z.strictObject({ actor, retireNow: z.boolean() }),
  reply: z.strictObject({ items: z.array(signingKey), directory: snapshotVersion }),
  errors: ['service_unavailable', 'conflict'],
});
