import { idPattern } from '@gatehouse/kernel';
import { z } from 'zod';
import { defineEvent, defineRequest, type ServiceName } from './define.js';
import { epochMs, identityId, personId, serverId } from './names.js';

/** Raw X25519 public key, 32 bytes in base64url. */
const publicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const sealed = z.string().regex(/^[A-Za-z0-9_-]+$/).max(200_000);
const origin = z.string().max(300);
const keyId = z.string().regex(idPattern('key'));
const secretId = z.string().regex(idPattern('secret'));

/** Whose a credential is: the organisation's or one person's. */
export const credentialOwner = z.union([z.literal('global'), personId]);

/** Whose a credential is. */
export type CredentialOwner = z.infer<typeof credentialOwner>;

/**
 * The field of a credential that is no header: the private key (P-256, PKCS #8 DER in base64url) that the
 * token in `Authorization` is bound to (RFC 9449). No header can have that name (RFC 9110 section 5.6.2).
 */
export const DPOP_KEY_FIELD = ':dpop-key';

/** What a lease decrypts to: header lines ready to send, and the key that proofs for them are made with. */
export const leasedHeaders = z.strictObject({ headers: z.array(z.tuple([z.string(), z.string()])), dpopKey: z.string().optional() });

/** What a lease decrypts to. */
export type LeasedHeaders = z.infer<typeof leasedHeaders>;

/** The context a secret is sealed under on its way in: a box for one field cannot be stored as another. */
export const entryContext = (identity: string, field: string): string => `vault.entry:${identity}:${field}`;

/** The context a lease is sealed under on its way out. */
export const leaseContext = (identity: string, server: string, at: string): string => `vault.lease:${identity}:${server}:${at}`;

/** The context a service key is sealed under on its way out. */
export const keyContext = (purpose: string, keyId: string): string => `vault.key:${purpose}:${keyId}`;

/** The context a service's own secret is sealed under on its way in: not the one of any credential's field. */
export const serviceSecretContext = (secret: string): string => `vault.service-secret.entry:${secret}`;

/** The context a service's own secret is sealed under on its way out. */
export const serviceSecretLeaseContext = (secret: string, version: number): string => `vault.service-secret.lease:${secret}:${version}`;

/** The public key that secrets are sealed to where they enter. */
export const getEntryKey = defineRequest({
  subject: 'rpc.v1.vault.entry-key.get',
  owner: 'vault',
  callers: ['gateway', 'auth'],
  request: z.strictObject({}),
  reply: z.strictObject({ keyId: z.string(), publicKey }),
  errors: ['vault_unavailable'],
});

/** Stores (or replaces, as a new version) the secret fields of one identity. */
export const storeCredential = defineRequest({
  subject: 'rpc.v1.vault.credential.store',
  owner: 'vault',
  callers: ['gateway', 'auth'],
  request: z.strictObject({
    identityId,
    serverId,
    /** The only origin the credential may ever be sent to (architecture 8.4). */
    origin,
    owner: credentialOwner,
    fields: z.array(z.strictObject({ name: z.string().min(1).max(256), sealed })).min(1).max(32),
    /** After this it is leased no more (`credential_expired`); null when it has no known end. */
    expiresAt: epochMs.nullable().default(null),
  }),
  reply: z.strictObject({ version: z.int().min(1) }),
  errors: ['bad_request', 'conflict', 'vault_unavailable'],
});

/** Leases an identity's secret headers to one edge, sealed to that edge's own key, for at most a minute. */
export const leaseCredential = defineRequest({
  subject: 'rpc.v1.vault.credential.lease',
  owner: 'vault',
  callers: ['gateway'],
  request: z.strictObject({ identityId, serverId, origin, owner: credentialOwner, edgeKey: publicKey }),
  /** `sealed` opens to `leasedHeaders` under `leaseContext`. */
  reply: z.strictObject({
    sealed,
    version: z.int().min(1),
    /** How long the lease may be used; never beyond the credential's own end. */
    expiresInMs: z.int().min(1).max(60_000),
    /** Until the credential's own end; null when that is not known. */
    credentialExpiresInMs: z.int().min(1).nullable().default(null),
  }),
  errors: ['credential_missing', 'credential_expired', 'credential_unbound', 'vault_unavailable'],
});

/** Gives an identity's secrets to another owner (a person's account becomes the organisation's); asking twice is fine. */
export const transferCredential = defineRequest({
  subject: 'rpc.v1.vault.credential.transfer',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ identityId, serverId, from: credentialOwner, to: credentialOwner }),
  reply: z.strictObject({ version: z.int().min(1) }),
  errors: ['credential_missing', 'conflict', 'vault_unavailable'],
});

/** Destroys every version of an identity's secrets; asking twice is fine. */
export const destroyCredential = defineRequest({
  subject: 'rpc.v1.vault.credential.destroy',
  owner: 'vault',
  callers: ['gateway', 'auth'],
  request: z.strictObject({ identityId }),
  reply: z.strictObject({ destroyed: z.boolean() }),
});

const keyLease = (purpose: string, callers: readonly ServiceName[]) =>
  defineRequest({
    subject: `rpc.v1.vault.${purpose}-key.lease`,
    owner: 'vault',
    callers,
    request: z.strictObject({ instanceKey: publicKey }),
    /** First the active key, then the next one where one is made ahead, then retired ones; each `sealed` opens under `keyContext(purpose, id)`. */
    reply: z.strictObject({ keys: z.array(z.strictObject({ id: z.string(), sealed })).min(1) }),
    errors: ['vault_unavailable'],
  });

/** 32-byte AES key that edges seal session ids, event ids and cursors with. */
export const leaseSessionKey = keyLease('session', ['gateway']);

/** 32-byte HMAC key for the digests of arguments and results in records. */
export const leaseDigestKey = keyLease('digest', ['gateway']);

/** Ed25519 private key (PKCS #8 DER) that edges sign statements about calls with, for servers that demand them. */
export const leaseCallSigningKey = keyLease('call-signing', ['gateway']);

/** Ed25519 private key (PKCS #8 DER) that policy signs its snapshots with. */
export const leasePolicySigningKey = keyLease('policy-signing', ['policy']);

/** Ed25519 private key (PKCS #8 DER) that auth signs its directory with. */
export const leaseDirectorySigningKey = keyLease('directory-signing', ['auth']);

/** 32 random bytes that auth derives its cookie keys and DPoP nonce secrets from. */
export const leaseAuthSecretKey = keyLease('auth-secret', ['auth']);

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Public half of a key that signs access tokens (RFC 7518 section 6.2.1): ES256, without `kid`, `alg` or `use`. */
export const tokenPublicJwk = z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate });

const tokenKeyMembers = {
  id: keyId,
  /** `next` is published but signs nothing yet; `retired` signs nothing any more and still verifies. */
  state: z.enum(['next', 'active', 'retired']),
  publicJwk: tokenPublicJwk,
  retiredAt: epochMs.nullable(),
};

/** A key that signs access tokens, as everybody may see it. */
export const tokenSigningKey = z.strictObject(tokenKeyMembers);

/** A key that signs access tokens, as everybody may see it. */
export type TokenSigningKey = z.infer<typeof tokenSigningKey>;

/**
 * The keys of access tokens: the active one, the next one, then those retired less than two hours
 * ago, the newest first. `sealed` (PKCS #8 DER) opens under `keyContext('token-signing', id)` and is
 * null for retired keys: nothing new may be signed with them.
 */
export const leaseTokenSigningKeys = defineRequest({
  subject: 'rpc.v1.vault.token-signing-keys.lease',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ instanceKey: publicKey }),
  reply: z.strictObject({ keys: z.array(z.strictObject({ ...tokenKeyMembers, sealed: sealed.nullable() })).min(2) }),
  errors: ['vault_unavailable'],
});

/**
 * The next key becomes the active one, and a new next one is made. Nothing happens when
 * `expectedActive` is not active any more: of replicas that rotate at once one wins, and all get the
 * same list. With `retireNow` (the key is known to somebody) the old key is not listed again.
 */
export const rotateTokenSigningKey = defineRequest({
  subject: 'rpc.v1.vault.token-signing-key.rotate',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ expectedActive: keyId, retireNow: z.boolean() }),
  reply: z.strictObject({ rotated: z.boolean(), keys: z.array(tokenSigningKey).min(2) }),
  errors: ['vault_unavailable'],
});

/**
 * Stores (or replaces, as a new version) one of auth's own secrets, such as the client secret of an
 * identity provider: 1 byte to 64 KiB, `sealed` to the entry key under `serviceSecretContext`.
 * A secret keeps the purpose it was first stored with (`conflict`).
 */
export const storeAuthSecret = defineRequest({
  subject: 'rpc.v1.vault.auth-service-secret.store',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ secretId, purpose: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), sealed }),
  reply: z.strictObject({ version: z.int().min(1) }),
  errors: ['bad_request', 'conflict', 'vault_unavailable'],
});

/** Leases one of auth's own secrets; `sealed` opens to its bytes under `serviceSecretLeaseContext`. */
export const leaseAuthSecret = defineRequest({
  subject: 'rpc.v1.vault.auth-service-secret.lease',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ secretId, instanceKey: publicKey }),
  reply: z.strictObject({ sealed, version: z.int().min(1) }),
  errors: ['credential_missing', 'vault_unavailable'],
});

/** Destroys one of auth's own secrets; asking twice is fine. */
export const destroyAuthSecret = defineRequest({
  subject: 'rpc.v1.vault.auth-service-secret.destroy',
  owner: 'vault',
  callers: ['auth'],
  request: z.strictObject({ secretId }),
  reply: z.strictObject({ destroyed: z.boolean() }),
});

/** What `rotateKeys` replaces; keys of access tokens have a request of their own, the key-encryption key is a setting. */
export const rotatedKeys = z.enum(['credential', 'session', 'digest', 'policy-signing', 'directory-signing', 'call-signing', 'entry']);

/** What `rotateKeys` replaces. */
export type RotatedKeys = z.infer<typeof rotatedKeys>;

/**
 * How far one move is: secrets to the newest `credential` key, or the vault's keys to the present
 * key-encryption key. `left` is counted anew at each question; at 0 nothing needs the old key any more.
 */
const move = z.strictObject({
  left: z.int().min(0),
  /** Of the last move: how many there were, were moved, and could not be opened; null times before the first one, and while it runs. */
  total: z.int().min(0),
  moved: z.int().min(0),
  failed: z.int().min(0),
  startedAt: epochMs.nullable(),
  finishedAt: epochMs.nullable(),
});

/**
 * Makes a new active key. Without a refused call: secrets stay readable while they are sealed anew in
 * the background (`credential`; the old key is deleted after the last one), boxes to the old entry key
 * and sessions of the old session key still open (the new session key was leased ahead as the next
 * one), and snapshots signed with the old keys still verify. Digests of before and after do not
 * compare. Nothing happens when `expectedActive` is not active any more.
 */
export const rotateKeys = defineRequest({
  subject: 'rpc.v1.vault.keys.rotate',
  owner: 'vault',
  request: z.strictObject({ what: rotatedKeys, expectedActive: keyId }),
  reply: z.strictObject({ rotated: z.boolean(), active: keyId }),
  errors: ['vault_unavailable'],
  timeoutMs: 15_000,
});

/** The active keys and their age, and how far both moves are. Names nothing secret. */
export const rotationProgress = defineRequest({
  subject: 'rpc.v1.vault.rotation.show',
  owner: 'vault',
  request: z.strictObject({}),
  reply: z.strictObject({
    keys: z.array(z.strictObject({ what: rotatedKeys, active: keyId, version: z.int().min(1), createdAt: epochMs, retired: z.int().min(0) })),
    /** The key-encryption key in use, those that still wrap something, and the move to the one in use. */
    root: z.strictObject({ id: z.string(), others: z.array(z.string()), move }),
    secrets: move,
  }),
  errors: ['vault_unavailable'],
});

const verificationKeys = z.array(z.strictObject({ id: z.string(), publicKey: z.string() })).min(1);

/** The Ed25519 public keys (SPKI DER, base64url) that edges verify snapshots with. */
export const listVerificationKeys = defineRequest({
  subject: 'rpc.v1.vault.verification-keys.list',
  owner: 'vault',
  request: z.strictObject({}),
  reply: z.strictObject({ policy: verificationKeys, directory: verificationKeys, calls: z.array(z.strictObject({ id: z.string(), publicKey: z.string() })).default([]) }),
  errors: ['vault_unavailable'],
});

/** A credential has a new version, or none any more: drop what was leased. */
export const credentialChanged = defineEvent({
  subject: 'evt.v1.vault.credential.changed',
  owner: 'vault',
  consumers: ['gateway'],
  payload: z.strictObject({ identityId, serverId, version: z.int().min(0) }),
});
