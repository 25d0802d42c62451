import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { actor, callerId, epochMs, identityId, personId, serverId, serverName } from './names.js';
import { snapshotVersion } from './snapshot.js';
import { authStep, authVerdict, headerName, upstreamOauth } from './upstream.js';
import { credentialOwner } from './vault.js';

const secretId = z.string().max(64);
const sealed = z.string().max(200_000);

/** Name of an identity among those of one owner at one server; the first is `default`. */
export const identityName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63');

/**
 * `active`: usable. `retrying`: its authorization server could not be reached lately; what is left of
 * its token is used. `needs_reauth`: permanently refused, its owner must connect anew. `revoked`: ended
 * here or there.
 */
export const identityStatus = z.enum(['active', 'retrying', 'needs_reauth', 'revoked']);

/** How usable an identity is. */
export type IdentityStatus = z.infer<typeof identityStatus>;

/** Why an identity is as it is; null while nothing is to be said. */
export const identityReason = z.enum([
  'refresh_refused',
  'refresh_lost',
  'no_refresh_token',
  'server_refused',
  'scope_missing',
  'client_gone',
  'origin_changed',
  'authorization_server_changed',
  'unreachable',
  'revoked_here',
  'owner_gone',
]);

/** A stored credential for one server, as it is shown: never the credential. */
export const identity = z.strictObject({
  id: identityId,
  server: serverName,
  serverId,
  owner: credentialOwner,
  /** Of the owner, for people who read a list; null for global ones. */
  ownerName: z.string().nullable(),
  name: identityName,
  method: z.enum(['headers', 'oauth']),
  grant: upstreamOauth.shape.grant.nullable(),
  status: identityStatus,
  reason: identityReason.nullable(),
  /** The one that is used where its owner has several. */
  preferred: z.boolean(),
  /** The only origin it is sent to. */
  origin: z.string(),
  scopes: z.array(z.string()).nullable(),
  /** When the present access token ends; null when that is not known. */
  expiresAt: epochMs.nullable(),
  /** Whether it lives on without its owner. */
  isRefreshable: z.boolean(),
  /** The secrets of headers: their last four characters, when they are long enough not to give much away. */
  secrets: z.array(z.strictObject({ name: headerName, lastFour: z.string().max(4).nullable(), changedAt: epochMs })),
  createdAt: epochMs,
  refreshedAt: epochMs.nullable(),
});

/** A stored credential for one server, as it is shown. */
export type Identity = z.infer<typeof identity>;

/** A secret header of an identity, sealed where it came in under `entryContext(identityId, name)`. */
const sealedHeader = z.strictObject({ name: headerName, sealed, lastFour: z.string().max(4).nullable() });

const whose = { actor, identityId, /** Restricts it to that owner's identities. */ ownedBy: callerId.nullable() };
const one = z.strictObject({ identity, directory: snapshotVersion });

/** Identities, of one owner or all, of one server or all. */
export const listIdentities = defineRequest({
  subject: 'rpc.v1.auth.identity.list',
  owner: 'auth',
  request: z.strictObject({ owner: credentialOwner.nullable(), server: serverName.nullable() }),
  reply: z.strictObject({ items: z.array(identity) }),
});

/** Stores secret headers as an identity. Refuses names the server does not take, and a second one by the same name (`conflict`). */
export const createIdentity = defineRequest({
  subject: 'rpc.v1.auth.identity.create',
  owner: 'auth',
  request: z.strictObject({ actor, identityId, serverId, owner: credentialOwner, name: identityName, headers: z.array(sealedHeader).min(1).max(32) }),
  reply: one,
  errors: ['unknown_server', 'conflict', 'bad_request', 'header_refused', 'vault_unavailable'],
});

/** Puts new secret headers in place of those an identity holds; it is active again. */
export const replaceIdentityHeaders = defineRequest({
  subject: 'rpc.v1.auth.identity.replace-headers',
  owner: 'auth',
  request: z.strictObject({ ...whose, headers: z.array(sealedHeader).min(1).max(32) }),
  reply: one,
  errors: ['not_found', 'unknown_server', 'bad_request', 'header_refused', 'vault_unavailable'],
});

const changeIdentity = (verb: string) =>
  defineRequest({
    subject: `rpc.v1.auth.identity.${verb}`,
    owner: 'auth',
    request: z.strictObject(whose),
    reply: one,
    errors: ['not_found', 'conflict', 'unknown_server', 'vault_unavailable'],
    timeoutMs: 15_000,
  });

/** Uses this one where its owner has several. */
export const preferIdentity = changeIdentity('prefer');
/** Makes a private identity the organisation's: everybody the server is open to calls with it from now on. */
export const shareIdentity = changeIdentity('share');
/** Revokes it at its authorization server where that is possible, and destroys it. */
export const removeIdentity = changeIdentity('remove');

const connectId = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/);

/**
 * A link under which one person, signed in, connects an account (or types in the headers of one). It
 * ends after ten minutes; nobody else can use it. `identityId` names the one that is connected anew.
 */
export const startConnect = defineRequest({
  subject: 'rpc.v1.auth.connect.start',
  owner: 'auth',
  request: z.strictObject({
    personId,
    serverId,
    owner: credentialOwner,
    name: identityName.nullable(),
    identityId: identityId.nullable(),
    /** A call waits for it: asking again while a link is good gives the same one. */
    cause: z.enum(['asked', 'call']),
  }),
  reply: z.strictObject({ id: connectId, url: z.url(), expiresAt: epochMs }),
  errors: ['unknown_server', 'not_found', 'conflict', 'bad_request'],
});

/** How a connection went. */
export const connection = z.strictObject({
  id: connectId,
  state: z.enum(['waiting', 'connected', 'failed', 'expired']),
  identityId: identityId.nullable(),
  problem: z.string().max(500).nullable(),
});

/** Asks how a connection went; only who started it is told. */
export const getConnection = defineRequest({
  subject: 'rpc.v1.auth.connect.get',
  owner: 'auth',
  request: z.strictObject({ id: connectId, personId }),
  reply: connection,
  errors: ['not_found'],
});

/**
 * An edge met the end of a token, or the server's no to it. At most one refresh runs for all who ask.
 * `fresh`: lease again. `retrying`: the authorization server is not reachable, use what is left. `dead`:
 * its owner must connect anew.
 */
export const refreshIdentity = defineRequest({
  subject: 'rpc.v1.auth.identity.refresh',
  owner: 'auth',
  request: z.strictObject({
    identityId,
    /** The credential's version that was at hand, as the vault counts; 0 when there was none. */
    version: z.int().min(0),
    cause: z.enum(['expiring', 'expired', 'refused', 'restarted']),
    /** The server's `WWW-Authenticate`, cut, when it refused. */
    challenge: z.string().max(4_096).nullable(),
    /** The server took this version before it refused it: a token that worked may be renewed as often as it ends. */
    wasAccepted: z.boolean().optional(),
  }),
  reply: z.strictObject({ outcome: z.enum(['fresh', 'unchanged', 'retrying', 'dead']), reason: identityReason.nullable() }),
  errors: ['not_found', 'vault_unavailable'],
  timeoutMs: 15_000,
});

/**
 * A person's identity that nobody has to connect (token exchange, ID-JAG), made from their sign-in on
 * first use. `dead` with `no_sign_in`: they must sign in at the identity provider anew.
 */
export const obtainIdentity = defineRequest({
  subject: 'rpc.v1.auth.identity.obtain',
  owner: 'auth',
  request: z.strictObject({ serverId, personId }),
  reply: z.strictObject({ identityId: identityId.nullable(), problem: z.string().max(500).nullable(), directory: snapshotVersion }),
  errors: ['unknown_server', 'vault_unavailable'],
  timeoutMs: 15_000,
});

/**
 * Finds out how a server that answered 401 wants to be signed in to, and prepares for it (a client
 * that registers itself is registered). `anew` forgets what was found before.
 */
export const discoverUpstream = defineRequest({
  subject: 'rpc.v1.auth.upstream.discover',
  owner: 'auth',
  request: z.strictObject({ serverId, challenge: z.string().max(4_096).nullable(), anew: z.boolean() }),
  reply: z.strictObject({
    verdict: authVerdict,
    steps: z.array(authStep).max(30),
    /** To enter in the provider's settings where a client must be registered by hand. */
    callbackUrl: z.url(),
    /** One sentence: what to do next; null when nothing is. */
    advice: z.string().max(500).nullable(),
  }),
  errors: ['unknown_server'],
  timeoutMs: 30_000,
});

/** Keeps the secret or the private key (PEM) of a client registered beforehand; null forgets it. */
export const putUpstreamSecret = defineRequest({
  subject: 'rpc.v1.auth.upstream-secret.put',
  owner: 'auth',
  request: z.strictObject({
    actor,
    serverId,
    kind: z.enum(['client_secret', 'private_key']),
    /** Sealed to the vault's entry key under `serviceSecretContext(secretId)`. */
    secret: z.strictObject({ secretId, sealed }).nullable(),
  }),
  reply: z.strictObject({ stored: z.boolean() }),
  errors: ['bad_request', 'vault_unavailable'],
});

/** A server is gone: its identities, registrations and secrets are destroyed. Asking twice is fine. */
export const forgetUpstream = defineRequest({
  subject: 'rpc.v1.auth.upstream.forget',
  owner: 'auth',
  request: z.strictObject({ actor, serverId }),
  reply: z.strictObject({ identities: z.int().min(0), directory: snapshotVersion }),
  errors: ['vault_unavailable'],
  timeoutMs: 30_000,
});

/** An identity came, changed or went. */
export const identityChanged = defineEvent({
  subject: 'evt.v1.auth.identity.changed',
  owner: 'auth',
  consumers: ['policy'],
  payload: z.strictObject({
    identityId,
    serverId,
    owner: credentialOwner,
    status: identityStatus,
    reason: identityReason.nullable(),
    cause: z.enum(['connected', 'stored', 'refreshed', 'refused', 'unreachable', 'shared', 'removed', 'owner_gone']),
    at: epochMs,
  }),
});

