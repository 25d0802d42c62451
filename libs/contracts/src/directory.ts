import { z } from 'zod';
import { defineEvent, defineRequest } from './define.js';
import { callerId, clientId, displayText, epochMs, grantId, identityId, issuerName, serverId, tokenId } from './names.js';
import { snapshotReply, snapshotRequest, snapshotVersion } from './snapshot.js';
import { credentialOwner } from './vault.js';

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/).max(1_024);

/** A public key that access tokens are verified with, as RFC 7517 spells it; extra members are dropped. */
export const verificationJwk = z.union([
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: base64url, y: base64url }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url }),
  z.object({ kty: z.literal('RSA'), n: base64url, e: base64url }),
]);

/** A public key. */
export type VerificationJwk = z.infer<typeof verificationJwk>;

const namedKey = z.strictObject({ id: z.string().max(256), jwk: verificationJwk });

/** Someone who may call, with everything that roles and teams give them resolved. */
const directoryCaller = z.strictObject({
  id: callerId,
  kind: z.enum(['person', 'service_account']),
  name: z.string(),
  email: z.string().nullable(),
  roles: z.array(z.string()),
  teams: z.array(z.string()),
  capabilities: z.array(z.string()),
});

/** An authorization server of the company's whose access tokens are accepted beside ours. */
const tokenIssuer = z.strictObject({
  name: issuerName,
  /** Compared exactly with `iss`. */
  issuer: z.string().max(2_048),
  /** Accepted in `aud` besides the endpoint's own address; null when only that is. */
  audience: z.string().max(2_048).nullable(),
  /** Where a person's values stand; `provisioning` says whether an unknown subject becomes a person. */
  claims: z.strictObject({ name: z.string(), email: z.string(), groups: z.string() }),
  provisioning: z.enum(['first-use', 'invited']),
  keys: z.array(namedKey),
  /** Subjects that are linked to a caller. */
  logins: z.array(z.strictObject({ subject: z.string(), callerId })),
});

/** The signed text of the directory: what an edge needs to know who calls. */
export const directory = z.strictObject({
  ...snapshotVersion.shape,
  /** When auth last signed it; a directory older than the lease is not trusted. */
  issuedAt: epochMs,
  callers: z.array(directoryCaller),
  /** Only tokens that may be used; `digest` is SHA-256 of the whole token, base64url. */
  tokens: z.array(
    z.strictObject({
      id: tokenId,
      digest: z.string(),
      callerId,
      scopes: z.array(z.string()),
      expiresAt: epochMs.nullable(),
    }),
  ),
  /** Keys that our own access tokens verify with: the next one too, so that a rotation refuses nobody. */
  keys: z.array(namedKey),
  /** Grants and single access tokens (by `jti`) that are over before their time; kept until no token of theirs can live. */
  denied: z.array(z.strictObject({ id: grantId, until: epochMs })),
  issuers: z.array(tokenIssuer),
  /** Whose accounts there are, at which server: all that choosing one for a call needs. */
  identities: z
    .array(
      z.strictObject({
        id: identityId,
        serverId,
        owner: credentialOwner,
        name: z.string(),
        method: z.enum(['headers', 'oauth']),
        status: z.enum(['active', 'retrying', 'needs_reauth', 'revoked']),
        preferred: z.boolean(),
      }),
    )
    .default([]),
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

/**
 * A subject of a trusted token issuer was seen for the first time, in a token that verified: makes a
 * person of it or links it, once. Refuses with `unauthenticated` when only invited people may enter.
 */
export const linkCaller = defineRequest({
  subject: 'rpc.v1.auth.caller.link',
  owner: 'auth',
  request: z.strictObject({
    issuer: issuerName,
    subject: z.string().min(1).max(255),
    clientId: clientId.nullable(),
    name: displayText(200).nullable(),
    email: z.email().max(320).nullable(),
    groups: z.array(displayText(200)).max(500),
  }),
  reply: snapshotVersion,
  errors: ['unauthenticated', 'not_found'],
});

/** A token of a trusted issuer named a key nobody knows: auth fetches the issuer's keys, at most once in 30 s for everybody. */
export const refreshIssuerKeys = defineRequest({
  subject: 'rpc.v1.auth.issuer-keys.refresh',
  owner: 'auth',
  request: z.strictObject({ issuer: issuerName }),
  reply: snapshotVersion,
  errors: ['not_found'],
});
