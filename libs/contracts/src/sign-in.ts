import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, displayText, epochMs, issuerName, personId } from './names.js';
import { snapshotVersion } from './snapshot.js';

const issuerUrl = z.url({ protocol: /^https?$/ }).max(2_048);
const claimName = z.string().min(1).max(200).regex(/^[\x21-\x7e]+$/);

/** Where a person's values stand in the provider's claims; a dot goes into an object (`realm_access.roles`). */
export const claimMapping = z.strictObject({
  name: claimName.default('name'),
  email: claimName.default('email'),
  groups: claimName.default('groups'),
});

/** Who is made administrator by their claims, while nobody who can sign in is one. */
export const administratorRule = z.strictObject({ claim: claimName, value: z.string().min(1).max(500) });

const providerSettings = {
  /** What the sign-in page shows. */
  displayName: displayText(100),
  issuer: issuerUrl,
  clientId: z.string().min(1).max(512),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/)).max(30),
  claims: claimMapping,
  /** Whether an unknown subject becomes a person at the first sign-in, or only people who were added before may enter. */
  provisioning: z.enum(['first-use', 'invited']),
  /** Whether a sign-in may be joined by its address to a person who was added before; unverified addresses never are. */
  linkByEmail: z.boolean(),
  administratorRule: administratorRule.nullable(),
  /** Whether its identity assertions (ID-JAG) are accepted at the token endpoint. */
  identityAssertions: z.boolean(),
  /** Whether the tokens of a sign-in are kept in the vault while it lasts, to be exchanged for accounts at servers. */
  keepTokens: z.boolean().default(false),
  /** Providers on loopback or a private network need it said. */
  allowPrivateNetwork: z.boolean(),
  enabled: z.boolean(),
};

/** An OpenID provider that people sign in at. */
export const identityProvider = z.strictObject({
  name: issuerName,
  ...providerSettings,
  hasSecret: z.boolean(),
  /** Where it is set: by the environment (read-only here) or through the API. */
  managedBy: z.enum(['environment', 'api']),
  createdAt: epochMs,
});

/** An OpenID provider. */
export type IdentityProvider = z.infer<typeof identityProvider>;

/** All identity providers. */
export const listIdentityProviders = defineRequest({
  subject: 'rpc.v1.auth.identity-provider.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(identityProvider) }),
});

/** What a provider's client secret is sealed under where it enters; `secretId` is of kind `secret`. */
export const putIdentityProvider = defineRequest({
  subject: 'rpc.v1.auth.identity-provider.put',
  owner: 'auth',
  request: z.strictObject({
    actor,
    name: issuerName,
    ...providerSettings,
    /** Sealed to the vault's entry key under `serviceSecretContext(secretId)`; null keeps the one there is, or means a public client. */
    secret: z.strictObject({ secretId: z.string().max(64), sealed: z.string().max(200_000) }).nullable(),
  }),
  reply: z.strictObject({ identityProvider, directory: snapshotVersion }),
  errors: ['bad_request', 'conflict', 'capability_missing', 'url_refused', 'service_unavailable'],
});

/** Removes a provider: who signed in there is signed out, their grants are over. */
export const deleteIdentityProvider = defineRequest({
  subject: 'rpc.v1.auth.identity-provider.delete',
  owner: 'auth',
  request: z.strictObject({ actor, name: issuerName }),
  reply: z.strictObject({ directory: snapshotVersion }),
  errors: ['not_found', 'conflict'],
});

/** Looks whether a provider can be used: discovery, keys, what it supports; never signs anybody in. */
export const testIdentityProvider = defineRequest({
  subject: 'rpc.v1.auth.identity-provider.test',
  owner: 'auth',
  timeoutMs: 15_000,
  request: z.strictObject({ issuer: issuerUrl, allowPrivateNetwork: z.boolean() }),
  reply: z.strictObject({
    ok: z.boolean(),
    /** Each step with what was found or what is wrong, in the order tried. */
    steps: z.array(z.strictObject({ step: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
  errors: ['url_refused'],
});

/** The context a one-time link is sealed under on its way to the edge: it is as good as a password while it lasts. */
export const signInLinkContext = (id: string): string => `auth.sign-in-link:${id}`;

/** A link that signs an active person in, once; only where local accounts are on, and never for somebody who holds more than the actor. */
export const createSignInLink = defineRequest({
  subject: 'rpc.v1.auth.sign-in-link.create',
  owner: 'auth',
  request: z.strictObject({ actor, personId, edgeKey: z.string() }),
  /** Path and query to open at the public address, sealed to the asking edge. */
  reply: z.strictObject({ sealedPath: z.string(), expiresAt: epochMs }),
  errors: ['not_found', 'bad_request', 'conflict', 'capability_missing'],
});

const tokenIssuerSettings = {
  issuer: issuerUrl,
  /** Null: found by the issuer's metadata. */
  jwksUri: issuerUrl.nullable(),
  /** Accepted in `aud` besides the endpoint's own address. */
  audience: z.string().min(1).max(2_048).nullable(),
  claims: claimMapping,
  provisioning: z.enum(['first-use', 'invited']),
  allowPrivateNetwork: z.boolean(),
};

/** An authorization server of the company's whose access tokens edges accept. */
export const tokenIssuer = z.strictObject({
  name: issuerName,
  ...tokenIssuerSettings,
  /** How many keys are known, and since when. */
  keys: z.int().min(0),
  keysFetchedAt: epochMs.nullable(),
  createdAt: epochMs,
});

/** A trusted token issuer. */
export type TokenIssuer = z.infer<typeof tokenIssuer>;

/** All trusted token issuers. */
export const listTokenIssuers = defineRequest({
  subject: 'rpc.v1.auth.token-issuer.list',
  owner: 'auth',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(tokenIssuer) }),
});

/** Trusts an issuer, after its keys could be fetched. */
export const putTokenIssuer = defineRequest({
  subject: 'rpc.v1.auth.token-issuer.put',
  owner: 'auth',
  timeoutMs: 15_000,
  request: z.strictObject({ actor, name: issuerName, ...tokenIssuerSettings }),
  reply: z.strictObject({ tokenIssuer, directory: snapshotVersion }),
  errors: ['bad_request', 'conflict', 'capability_missing', 'url_refused', 'upstream_invalid', 'upstream_unreachable', 'upstream_timeout'],
});

/** Stops trusting an issuer: its tokens are refused at once. */
export const deleteTokenIssuer = defineRequest({
  subject: 'rpc.v1.auth.token-issuer.delete',
  owner: 'auth',
  request: z.strictObject({ actor, name: issuerName }),
  reply: z.strictObject({ directory: snapshotVersion }),
  errors: ['not_found'],
});
