import { z } from 'zod';
import { defineEvent, defineRequest, type ServiceName } from './define.js';
import { identityId, personId, serverId } from './names.js';

/** Raw X25519 public key, 32 bytes in base64url. */
const publicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const sealed = z.string().regex(/^[A-Za-z0-9_-]+$/).max(200_000);
const origin = z.string().max(300);

/** Whose a credential is: the organisation's or one person's. */
export const credentialOwner = z.union([z.literal('global'), personId]);

/** Whose a credential is. */
export type CredentialOwner = z.infer<typeof credentialOwner>;

/** What a lease decrypts to: header lines ready to send. */
export const leasedHeaders = z.strictObject({ headers: z.array(z.tuple([z.string(), z.string()])) });

/** The context a secret is sealed under on its way in: a box for one field cannot be stored as another. */
export const entryContext = (identity: string, field: string): string => `vault.entry:${identity}:${field}`;

/** The context a lease is sealed under on its way out. */
export const leaseContext = (identity: string, server: string, at: string): string => `vault.lease:${identity}:${server}:${at}`;

/** The context a service key is sealed under on its way out. */
export const keyContext = (purpose: string, keyId: string): string => `vault.key:${purpose}:${keyId}`;

/** The public key that secrets are sealed to where they enter. */
export const getEntryKey = defineRequest({
  subject: 'rpc.v1.vault.entry-key.get',
  owner: 'vault',
  callers: ['gateway', 'auth'],
  request: z.strictObject({}),
  reply: z.strictObject({ keyId: z.string(), publicKey }),
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
  }),
  reply: z.strictObject({ version: z.int().min(1) }),
  errors: ['bad_request', 'conflict'],
});

/** Leases an identity's secret headers to one edge, sealed to that edge's own key, for at most a minute. */
export const leaseCredential = defineRequest({
  subject: 'rpc.v1.vault.credential.lease',
  owner: 'vault',
  callers: ['gateway'],
  request: z.strictObject({ identityId, serverId, origin, owner: credentialOwner, edgeKey: publicKey }),
  /** `sealed` opens to `leasedHeaders` under `leaseContext`. */
  reply: z.strictObject({ sealed, version: z.int().min(1), expiresInMs: z.int().min(1).max(60_000) }),
  errors: ['credential_missing', 'credential_unbound'],
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
    /** First the active key; each `sealed` opens under `keyContext(purpose, id)`. */
    reply: z.strictObject({ keys: z.array(z.strictObject({ id: z.string(), sealed })).min(1) }),
  });

/** 32-byte AES key that edges seal session ids, event ids and cursors with. */
export const leaseSessionKey = keyLease('session', ['gateway']);

/** 32-byte HMAC key for the digests of arguments and results in records. */
export const leaseDigestKey = keyLease('digest', ['gateway']);

/** Ed25519 private key (PKCS #8 DER) that policy signs its snapshots with. */
export const leasePolicySigningKey = keyLease('policy-signing', ['policy']);

/** Ed25519 private key (PKCS #8 DER) that auth signs its directory with. */
export const leaseDirectorySigningKey = keyLease('directory-signing', ['auth']);

const verificationKeys = z.array(z.strictObject({ id: z.string(), publicKey: z.string() })).min(1);

/** The Ed25519 public keys (SPKI DER, base64url) that edges verify snapshots with. */
export const listVerificationKeys = defineRequest({
  subject: 'rpc.v1.vault.verification-keys.list',
  owner: 'vault',
  request: z.strictObject({}),
  reply: z.strictObject({ policy: verificationKeys, directory: verificationKeys }),
});

/** A credential has a new version, or none any more: drop what was leased. */
export const credentialChanged = defineEvent({
  subject: 'evt.v1.vault.credential.changed',
  owner: 'vault',
  consumers: ['gateway'],
  payload: z.strictObject({ identityId, serverId, version: z.int().min(0) }),
});
