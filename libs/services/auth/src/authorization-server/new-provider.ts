import type { Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import { Provider, errors, interactionPolicy, type Client, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { pageText, PAGE_HEADERS, html } from '../pages/page.js';
import { Artefacts, type ArtefactParts } from './artefacts.js';
import { beforeProvider, type Gate } from './before-provider.js';
import { isSecret } from './client-secrets.js';
import type { ClientStore } from './client-store.js';
import { normalizeClient } from './client-metadata.js';
import type { ClientDocuments } from './client-documents.js';
import { ACCESS_TOKEN_MS } from './end-grants.js';
import type { AssertionParts } from './grants/identity-assertion.js';
import { registerSpecialGrants } from './grants/register-special-grants.js';
import { followProvider } from './provider-events.js';
import type { Resources } from './resources.js';
import type { KeyRing } from './signing-keys.js';
import type { SignedIn } from './signed-in.js';

/** Everything one provider is built from; only the keys change while it runs. */
export interface ProviderParts extends ArtefactParts {
  origin: string;
  clients: ClientStore;
  documents: ClientDocuments;
  resources: Resources;
  signedIn: SignedIn;
  gate: Gate;
  log: Logger;
  clock: Clock;
  /** The guarded fetch that metadata documents and keys of clients come by. */
  fetch: typeof fetch;
  /** The provider of an issuer of identity assertions, when those are accepted. */
  assertionIssuer: AssertionParts['assertionIssuer'];
  /** Private-use schemes that redirect URIs may have. */
  redirectSchemes: () => readonly string[];
}

const DAY_S = 86_400;
const SIGNATURES = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
/** Our own command line client: the only client without a registration that may ask for the admin API. */
export const CLI_CLIENT_ID = 'gatehouse-cli';

/** A provider that signs with these keys; building one costs about a millisecond, so a rotation builds another. */
export function newProvider(parts: ProviderParts, keys: KeyRing): Provider {
  const provider = new Provider(parts.origin, configurationOf(parts, keys));
  provider.proxy = true;
  provider.Client.prototype.compareClientSecret = function compare(this: Client, actual: string) {
    return isSecret(actual, this.clientSecret);
  } as never;
  const { gate, signedIn, clients } = parts;
  registerSpecialGrants(provider, { ...parts, publicKeys: gate.publicKeys, personOf: (issuer, subject) => signedIn.personOf(issuer, subject), isDenied: (ids) => clients.isDenied(ids) });
  provider.use(beforeProvider(gate, new Artefacts('AuthorizationCode', parts)) as never);
  followProvider(provider, parts.clients, parts.log);
  return provider;
}

function configurationOf(parts: ProviderParts, keys: KeyRing): Configuration {
  const isSecure = parts.origin.startsWith('https:');
  return {
    adapter: (model: string) => (model === 'Client' ? parts.clients : new Artefacts(model, parts)),
    jwks: { keys: [keys.active] },
    discovery: { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] },
    clients: [{ client_id: CLI_CLIENT_ID, client_name: 'Gatehouse command line', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/callback'] }],
    cookies: {
      keys: keys.cookieKeys,
      names: { session: isSecure ? '__Host-gh_s' : 'gh_s', interaction: 'gh_i', resume: 'gh_r' },
      long: { httpOnly: true, sameSite: 'lax', signed: true, path: '/' },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    ...protocol(parts),
    features: features(parts, keys),
    ...lifetimes,
    ...hooks(parts),
  };
}

function protocol(parts: ProviderParts): Configuration {
  return {
    responseTypes: ['code'],
    subjectTypes: ['public'],
    scopes: ['openid', 'offline_access', 'mcp:access', 'admin'],
    claims: { openid: ['sub'] },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], clientAuthSigningAlgValues: [...SIGNATURES], dPoPSigningAlgValues: ['ES256', 'EdDSA'] },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: () => true,
    extraClientMetadata: {
      properties: ['software_id', 'software_version', 'gh_generation'],
      validator: (ctx, key, _value, metadata) => {
        // Called once per property; the first call sees the metadata as the client sent it.
        if (key === 'software_id') normalizeClient(metadata, { selfService: isSelfService(ctx, metadata.client_id), redirectSchemes: parts.redirectSchemes() });
      },
    },
    routes: {
      authorization: '/authorize', token: '/token', registration: '/register', revocation: '/revoke', jwks: '/jwks',
      pushed_authorization_request: '/par', end_session: '/session/as-end',
    },
  };
}

function isSelfService(ctx: KoaContextWithOIDC | undefined, id: string): boolean {
  return ctx !== undefined || id.startsWith('https://') || id.startsWith('dcr_');
}

function features({ documents, resources }: ProviderParts, keys: KeyRing): Configuration['features'] {
  const off = { enabled: false };
  return {
    devInteractions: off, userinfo: off, rpInitiatedLogout: off, requestObjects: off, introspection: off, claimsParameter: off, deviceFlow: off,
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    registration: { enabled: true, initialAccessToken: false, issueRegistrationAccessToken: false, idFactory: () => documents.newClientId() },
    registrationManagement: off,
    clientIdMetadataDocument: {
      enabled: true, ack: 'draft-02', cacheDuration: { min: 60, max: 3_600 },
      allowFetch: (_ctx: unknown, id: string) => documents.mayFetch(id),
      allowClient: (_ctx: unknown, client: Client) => documents.admit(client),
    },
    dPoP: { enabled: true, nonceSecret: keys.dpopNonceSecret, requireNonce: () => false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      // A token has one audience; a client that names none, and whose server is not the only one, is told so by invalid_target.
      defaultResource: (_ctx, _client, oneOf) => (oneOf === undefined ? NO_RESOURCE : Array.isArray(oneOf) ? oneOf[0]! : oneOf),
      getResourceServerInfo: (_ctx, resource, client) => documents.resourceFor(client, resource, resources),
    },
  } as Configuration['features'];
}

/** Never an endpoint: asking for it is refused with `invalid_target`. */
const NO_RESOURCE = 'urn:gatehouse:no-resource-named';

const lifetimes: Configuration = {
  ttl: { AccessToken: ACCESS_TOKEN_MS / 1_000, ClientCredentials: ACCESS_TOKEN_MS / 1_000, AuthorizationCode: 60, RefreshToken: 14 * DAY_S, Grant: 30 * DAY_S, Session: DAY_S / 3, Interaction: 600, PushedAuthorizationRequest: 90, IdToken: 600 },
  // A connection outlives the browser's sign-in; whatever ends it for good ends the grant.
  expiresWithSession: async () => false,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: ({ oidc }) => {
    const { RefreshToken: held } = oidc.entities;
    const asked = oidc.params?.['resource'];
    // Before the token is used up: a wrong resource must not cost the client its refresh token (A9).
    if (typeof asked === 'string' && held !== undefined && !held.resourceIndicators.has(asked)) throw new errors.InvalidTarget('resource was not granted');
    return true;
  },
};

function hooks(parts: ProviderParts): Configuration {
  return {
    fetch: parts.fetch,
    findAccount: (_ctx, id) => parts.signedIn.account(id),
    extraTokenClaims: async (ctx, token) => ({ gid: ('grantId' in token ? token.grantId : undefined) ?? serviceGrant(ctx.oidc.client) }),
    loadExistingGrant: async (ctx) => parts.documents.existingGrant(ctx),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}`, policy: policyOf(parts.signedIn) },
    renderError: (ctx, out) => {
      ctx.set({ ...PAGE_HEADERS });
      ctx.body = pageText('This cannot go on', errorBody(out));
    },
    fetchResponseBodyLimits: { jwks_uri: 65_536, 'client_id metadata document': 5_120 } as never,
  };
}

// Tokens of a service account have no grant row; its generation stands for one, so that a new secret ends the old tokens.
function serviceGrant(client: Client | undefined): string {
  return `${client?.clientId}-${String(client?.['gh_generation'] ?? 1)}`;
}

function policyOf(signedIn: SignedIn): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  // The library remembers who signed in here; whether they still are is our login session's to say.
  policy.get('login')!.checks.add(
    new interactionPolicy.Check('login_session', 'End-User authentication is required', async (ctx) => !(await signedIn.isStill(ctx))),
  );
  return policy;
}

const HINTS: Readonly<Record<string, string>> = {
  invalid_client: 'Gatehouse does not know this client (any more). Remove the server from your client and add it again, then sign in.',
  invalid_redirect_uri: 'The client asked to be answered at an address that it did not register, so nobody was answered. Update the client, or remove the server from it and add it again.',
  invalid_target: 'The client asked for an endpoint that does not exist here. Check the address that you gave it.',
};

function errorBody(out: { error: string; error_description?: string | undefined }) {
  return html`<p>${HINTS[out.error] ?? 'The client sent a request that Gatehouse cannot answer. Nothing was granted.'}</p>
<dl><dt>Error</dt><dd><code>${out.error}</code></dd>${out.error_description === undefined ? undefined : html`<dt>Details</dt><dd>${out.error_description}</dd>`}</dl>`;
}
