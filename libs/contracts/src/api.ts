import { z } from 'zod';
import { putRole, putTeam, role, serviceAccount, serviceAccountAuth, team } from './access.js';
import { person, tokenSummary, updatePerson, TOKEN_SCOPES } from './auth.js';
import { auditRecord, recordFilter } from './audit.js';
import { createClient, grant, oauthClient, signingKey } from './clients.js';
import { catalogueEntry } from './catalogue.js';
import { connection, identity, identityName, identityStatus, startConnect } from './identities.js';
import { callerId, clientId, displayText, epochMs, identityId, personId, policyName, roleName, serverName, teamName } from './names.js';
import { applyPolicies, policy, policyAnswer, policyQuestion } from './policy.js';
import { shownPreset } from './presets.js';
import { observedItem, patchServer, server, transport } from './servers.js';
import { claimMapping, identityProvider, putIdentityProvider, putTokenIssuer, tokenIssuer } from './sign-in.js';
import { headerName, identityMode, preset, upstreamOauth } from './upstream.js';
import { rotateKeys, rotationProgress } from './vault.js';

const plainHeader = z.strictObject({ name: z.string().min(1).max(128), value: z.string().min(1).max(8_192) });

/**
 * One header of `POST /servers`: a secret one goes to the vault and is never shown again. A secret one
 * without a value is the name of a header that each person (or a global identity) brings the value of.
 */
const apiHeader = z.strictObject({ ...plainHeader.shape, value: plainHeader.shape.value.optional(), secret: z.boolean().default(false) });

/** How a server's calls are signed in: what is left out of `oauth` comes from the preset of its host or is discovered. */
const apiAuth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('auto') }),
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('headers'), headers: z.array(apiHeader).min(1).max(32) }),
  z.strictObject({
    kind: z.literal('oauth'),
    ...upstreamOauth.shape,
    /** Of a client registered beforehand; both go to the vault and are never shown again. */
    clientSecret: z.string().min(1).max(4_096).optional(),
    /** PEM (PKCS #8) of the key that signs `private_key_jwt` assertions. */
    privateKey: z.string().min(1).max(16_384).optional(),
  }),
]);

/** Body of `POST /api/v1/servers`. */
export const serverBody = z.strictObject({
  name: serverName.optional(),
  url: z.string().min(1).max(2_048).optional(),
  /** Name of an entry of the catalogue, in place of the URL. */
  catalogue: serverName.optional(),
  transport: transport.default('auto'),
  /** `auto` finds out by looking: a server that answers 401 is tried by OAuth first. */
  auth: apiAuth.default({ kind: 'auto' }),
  /** Null, or left out: follows from what the server turns out to want. */
  identityMode: identityMode.nullable().optional(),
  /** Plain headers sent with every request, however it is signed in. */
  headers: z.array(plainHeader).max(32).default([]),
  /** POST only: GET, HEAD and DELETE are answered 405 here. */
  stateless: z.boolean().default(false),
  allowPrivateNetwork: z.boolean().default(false),
  /** PEM certificates trusted for this server alone, besides the well-known authorities. */
  caCertificate: z.string().min(1).max(65_536).optional(),
  /** Every call carries a signed statement of who calls (`docs/guides`), which the server can demand. */
  signCalls: z.boolean().default(false),
  /** Headers of the client that go up as they came. */
  forwardHeaders: z.array(headerName).max(32).default([]),
});

const change = patchServer.request.shape.change.shape;

/** Body of `PATCH /api/v1/servers/<name>`: what is left out stays. */
export const serverChange = z.strictObject({
  url: z.string().min(1).max(2_048).optional(),
  transport: change.transport,
  stateless: change.stateless,
  allowPrivateNetwork: change.allowPrivateNetwork,
  caCertificate: change.caCertificate,
  identityMode: change.identityMode,
  /** What it names is put in place of what was there; secrets that are left out stay. */
  auth: apiAuth.optional(),
  /** All plain headers from now on. */
  headers: z.array(plainHeader).max(32).optional(),
  signCalls: change.signCalls,
  forwardHeaders: change.forwardHeaders,
});

/** Body of `POST /api/v1/servers/<name>/debug`: 0 ends it. */
export const debugBody = z.strictObject({ minutes: z.int().min(0).max(24 * 60).default(15) });

/** Secret headers, by name. */
const secretHeaders = z
  .record(headerName, z.string().min(1).max(8_192))
  .refine((given) => Object.keys(given).length >= 1 && Object.keys(given).length <= 32, '1 to 32 headers');
const visibility = z.enum(['private', 'global']);

/** Body of `POST /api/v1/identities`: a global one needs `identities.manage`. */
export const identityBody = z.strictObject({
  server: serverName,
  visibility: visibility.default('private'),
  name: identityName.default('default'),
  headers: secretHeaders,
});

/** Body of `PUT /api/v1/identities/<id>/headers`. */
export const identityHeadersBody = z.strictObject({ headers: secretHeaders });

/** Query of `GET /api/v1/identities`: one's own and the organisation's; `all` needs `identities.read`. */
export const identityQuery = z.strictObject({ server: serverName.optional(), all: z.stringbool().default(false) });

/** Body of `POST /api/v1/identities/connect`; `identity` names the one to connect anew. */
export const connectBody = z.strictObject({
  server: serverName,
  visibility: visibility.default('private'),
  name: identityName.optional(),
  identity: identityId.optional(),
});

/** Answer of `POST /api/v1/identities/connect`: the link is for whoever asked alone. */
export const startedConnection = startConnect.reply;

/** Answer of `GET /api/v1/identities/connect/<id>`. */
export const shownConnection = connection;

/** Query of `GET /api/v1/identities/explain`; without `person` about oneself, about others with `identities.read`. */
export const explainQuery = z.strictObject({ server: serverName, person: personId.optional() });

/** Answer of `GET /api/v1/identities/explain`: if this person calls this server now, then with this identity, because … */
export const explanation = z.strictObject({
  server: serverName,
  person: z.strictObject({ id: callerId, name: z.string() }),
  identityMode,
  outcome: z.enum(['none', 'private', 'global', 'missing', 'dead']),
  identity: z.strictObject({ id: identityId, name: identityName, visibility, status: identityStatus }).nullable(),
  /** One word of the rule that decided, as audit records carry it. */
  reason: z.enum(['mode_none', 'own_preferred', 'own_only', 'own_newest', 'shared_fallback', 'shared_only', 'nothing_connected', 'not_accepted']),
  because: z.string(),
  /** All of it in one sentence for people. */
  sentence: z.string(),
});

/** Body of `PUT /api/v1/presets/<name>`. */
export const presetBody = preset.omit({ name: true }).extend({
  oauth: upstreamOauth.default({}),
  header: preset.shape.header.default(null),
  documentation: preset.shape.documentation.default(null),
  notes: preset.shape.notes.default(null),
});

/** Body of `POST /api/v1/policies/apply`: all of them or none. */
export const applyBody = z.strictObject({ policies: z.array(z.strictObject({ name: policyName, text: z.string().min(1).max(65_536) })).min(1).max(100) });

/** Body of `PUT /api/v1/policies/<name>` as JSON; `text/cedar` carries the text alone. */
export const policyBody = z.strictObject({ text: z.string().min(1).max(65_536) });

/** Body of `POST /api/v1/policies/test`. */
export const testBody = z.strictObject({ question: policyQuestion, draft: applyBody.shape.policies.nullable().default(null) });

/** Body of `POST /api/v1/tokens`; without `callerId` the token is for whoever asks. */
export const tokenBody = z.strictObject({
  name: displayText(200),
  scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).default(['mcp:access']),
  callerId: callerId.optional(),
  expiresAt: epochMs.nullable().default(null),
});

/** Body of `POST /api/v1/people`. */
export const personBody = z.strictObject({
  name: displayText(200),
  email: z.email().max(320).nullable().default(null),
  roles: z.array(roleName).min(1).max(50).default(['member']),
  teams: z.array(teamName).max(50).default([]),
});

/** Body of `PATCH /api/v1/people/<id>`: what is left out stays. */
export const personChange = updatePerson.request.omit({ actor: true, personId: true });

/** Body of `PUT /api/v1/roles/<name>`. */
export const roleBody = z.strictObject({
  description: putRole.request.shape.description.default(''),
  capabilities: putRole.request.shape.capabilities,
});

/** Body of `PUT /api/v1/teams/<name>`. */
export const teamBody = z.strictObject({
  roles: putTeam.request.shape.roles.default([]),
  groups: putTeam.request.shape.groups.default([]),
});

/** Body of `POST /api/v1/service-accounts`. */
export const serviceAccountBody = z.strictObject({
  name: displayText(200),
  roles: personBody.shape.roles,
  teams: personBody.shape.teams,
  auth: serviceAccountAuth.default({ method: 'none' }),
});

/** Body of `POST /api/v1/service-accounts/<id>/auth`. */
export const serviceAccountAuthBody = z.strictObject({ auth: serviceAccountAuth });

const wantedClient = createClient.request.shape;

/** Body of `POST /api/v1/clients`. */
export const clientBody = z.strictObject({
  name: wantedClient.name,
  redirectUris: wantedClient.redirectUris.default([]),
  authMethod: wantedClient.authMethod.default('none'),
  jwks: wantedClient.jwks.default(null),
  specialGrants: wantedClient.specialGrants.default([]),
  requireDpop: wantedClient.requireDpop.default(false),
  requirePar: wantedClient.requirePar.default(false),
});

const wantedProvider = putIdentityProvider.request.shape;
const usualClaims = { name: 'name', email: 'email', groups: 'groups' };

/** Body of `PUT /api/v1/identity-providers/<name>`; the secret is sealed where it enters and never shown. */
export const identityProviderBody = z.strictObject({
  displayName: wantedProvider.displayName,
  issuer: wantedProvider.issuer,
  clientId: wantedProvider.clientId,
  /** Left out: the one there is, or a public client. */
  clientSecret: z.string().min(1).max(4_096).optional(),
  scopes: wantedProvider.scopes.default(['openid', 'profile', 'email']),
  claims: claimMapping.default(usualClaims),
  provisioning: wantedProvider.provisioning.default('first-use'),
  linkByEmail: wantedProvider.linkByEmail.default(true),
  administratorRule: wantedProvider.administratorRule.default(null),
  identityAssertions: wantedProvider.identityAssertions.default(false),
  keepTokens: wantedProvider.keepTokens,
  allowPrivateNetwork: wantedProvider.allowPrivateNetwork.default(false),
  enabled: wantedProvider.enabled.default(true),
});

/** Body of `POST /api/v1/identity-providers/test`. */
export const identityProviderTest = z.strictObject({
  issuer: wantedProvider.issuer,
  allowPrivateNetwork: wantedProvider.allowPrivateNetwork.default(false),
});

const wantedIssuer = putTokenIssuer.request.shape;

/** Body of `PUT /api/v1/token-issuers/<name>`. */
export const tokenIssuerBody = z.strictObject({
  issuer: wantedIssuer.issuer,
  jwksUri: wantedIssuer.jwksUri.default(null),
  audience: wantedIssuer.audience.default(null),
  claims: claimMapping.default(usualClaims),
  provisioning: wantedIssuer.provisioning.default('invited'),
  allowPrivateNetwork: wantedIssuer.allowPrivateNetwork.default(false),
});

/** Body of `POST /api/v1/signing-keys/rotate`. */
export const rotationBody = z.strictObject({ retireNow: z.boolean().default(false) });

/** Body of `POST /api/v1/vault-keys/rotate`; `expectedActive` as last shown, so that two who ask at once rotate once. */
export const vaultRotationBody = rotateKeys.request;

/** Query of `GET /api/v1/servers/<name>/tools`. */
export const itemQuery = z.strictObject({ kind: observedItem.shape.kind.default('tool') });

/** Query of `GET /api/v1/catalogue`. */
export const catalogueQuery = z.strictObject({
  cursor: serverName.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});

/** Body of `POST /api/v1/catalogue/import`: where an MCP Registry is; `/v0/servers` is added unless the path ends in `/servers`. */
export const importBody = z.strictObject({ url: z.string().min(1).max(500), allowPrivateNetwork: z.boolean().default(false) });

/** Answer of `POST /api/v1/catalogue/import`: how many entries it brought, and whether the registry had more than are taken. */
export const importedEntries = z.strictObject({ imported: z.int().min(0), isCut: z.boolean() });

/** Query of `GET /api/v1/servers/<name>/logs`; with `follow=true` the answer waits up to `waitMs` for something new. */
export const logQuery = z.strictObject({
  since: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  follow: z.stringbool().default(false),
  cursor: z.string().max(1_000).optional(),
  waitMs: z.coerce.number().int().min(0).max(5_000).default(0),
});

/** One line of a server's own log: no body, no argument, nobody's name. */
export const logLine = z.strictObject({
  at: epochMs,
  kind: z.enum(['state', 'probe', 'call']),
  /** What was done with it, what a probe found, or the method (with its tool or prompt) that was called. */
  event: z.string(),
  detail: z.string().nullable(),
  /** How long a call took. */
  ms: z.number().nullable(),
  /** Id of the call's audit record. */
  record: z.string().nullable(),
});

/** Query of `GET /api/v1/audit/records`; with `follow=true` the answer waits up to `waitMs` for something new. */
export const recordQuery = recordFilter.omit({ troubledBeyondMs: true }).extend({
  since: z.coerce.number().int().min(0).optional(),
  until: z.coerce.number().int().min(0).optional(),
  follow: z.stringbool().default(false),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  waitMs: z.coerce.number().int().min(0).max(5_000).default(0),
});

/** Answer of `POST /api/v1/tokens`: the only time the token is shown. */
export const createdToken = z.strictObject({ ...tokenSummary.shape, token: z.string() });

/** Answer of `POST /api/v1/people/:id/sign-in-link`: the only time the link is shown. */
export const signInLink = z.strictObject({ url: z.url(), expiresAt: epochMs });

/** Answer where a service account is made or proves itself anew: the only time its secret is shown, if it has one. */
export const createdServiceAccount = z.strictObject({ ...serviceAccount.shape, secret: z.string().nullable() });

/** Answer of `POST /api/v1/clients`: the only time its secret is shown, if it has one. */
export const createdClient = z.strictObject({ ...oauthClient.shape, secret: z.string().nullable() });

/** Answer of `POST /api/v1/policies/apply`: `active` says whether the edge that answers decides by it already. */
export const appliedPolicies = z.strictObject({ ...applyPolicies.reply.shape, active: z.boolean() });

/** Answer of `GET /api/v1/whoami`. */
export const whoami = z.strictObject({
  id: callerId,
  kind: z.enum(['person', 'service_account']),
  name: z.string(),
  email: z.string().nullable(),
  roles: z.array(z.string()),
  teams: z.array(z.string()),
  capabilities: z.array(z.string()),
  scopes: z.array(z.string()),
  /** The OAuth client that the access token was made for; null for personal access tokens. */
  clientId: clientId.nullable(),
});

/** Answer of `GET /api/v1/vault-keys`. */
export const vaultKeys = rotationProgress.reply;

/** Answer of `POST /api/v1/vault-keys/rotate`. */
export const rotatedVaultKeys = rotateKeys.reply;

/** A page of a list. */
const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

/** Answers of the list routes. */
export const serverPage = page(server);
export const identityPage = page(identity);
export const presetPage = page(shownPreset);
export const cataloguePage = page(catalogueEntry);
export const itemPage = page(observedItem);
export const logPage = page(logLine);
export const policyPage = page(policy);
export const tokenPage = page(tokenSummary);
export const peoplePage = page(person);
export const recordPage = page(auditRecord);
export const rolePage = page(role);
export const teamPage = page(team);
export const serviceAccountPage = page(serviceAccount);
export const clientPage = page(oauthClient);
export const grantPage = page(grant);
export const identityProviderPage = page(identityProvider);
export const tokenIssuerPage = page(tokenIssuer);
export const signingKeyPage = page(signingKey);

/** An RFC 9457 problem document as every refusal of the admin API is. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** Answer of `POST /api/v1/policies/test`. */
export { policyAnswer };
