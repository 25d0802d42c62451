import type { Configuration, JWK } from 'oidc-provider';
import type { People, Person } from './people.js';
import type { ProviderMemory } from './provider-memory.js';
import type { SigningKeys } from './signing-keys.js';

/** What the provider is made of. */
export interface ProviderParts {
  people: People;
  keys: SigningKeys;
  memory: ProviderMemory;
  /** Under which name groups are stated. */
  groupsClaim: string;
  /** True states everything but `sub` at the userinfo endpoint alone. */
  claimsOnlyInUserinfo: boolean;
  /** PKCE with S256 asked of every client. */
  requirePkce: boolean;
  /** Refresh tokens with every sign-in, a new one at each use. */
  refreshTokens: boolean;
  idTokenSeconds: number;
}

/** Where the login pages live: a path of its own, since cookies do not know ports. */
export const SIGN_IN_PATH = '/sign-in/';

const SCOPES = 'openid profile email groups offline_access';

/** A company's provider: everybody may use the one client, nobody is asked for consent. */
export function providerConfiguration(parts: ProviderParts): Configuration {
  const { people, memory, groupsClaim } = parts;
  return {
    adapter: memory.adapter,
    jwks: { keys: parts.keys.all().map((key) => ({ ...key }) as JWK) },
    scopes: SCOPES.split(' '),
    claims: { openid: ['sub'], profile: ['name', groupsClaim], email: ['email', 'email_verified'], groups: [groupsClaim] },
    conformIdTokenClaims: parts.claimsOnlyInUserinfo,
    pkce: { required: () => parts.requirePkce },
    responseTypes: ['code'],
    cookies: {
      keys: ['a key for the cookies of a test'],
      names: { session: 'idp_session', interaction: 'idp_interaction', resume: 'idp_resume' },
    },
    discovery: { backchannel_logout_supported: true, backchannel_logout_session_supported: true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `${SIGN_IN_PATH}${interaction.uid}` },
    renderError: (context, out) => {
      context.type = 'text';
      context.body = `Acme cannot sign you in: ${out.error} ${out.error_description ?? ''}`;
    },
    findAccount: async (_context, sub) => {
      const person = people.active(sub);
      return person && { accountId: sub, claims: async () => ({ ...claimsOf(person, groupsClaim) }) };
    },
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId, accountId: oidc.session?.accountId });
      grant.addOIDCScope(SCOPES);
      await grant.save();
      return grant;
    },
    ...(parts.refreshTokens ? { issueRefreshToken: () => true, rotateRefreshToken: true } : {}),
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3_600, IdToken: parts.idTokenSeconds, Interaction: 600, RefreshToken: 3_600, Session: 3_600 },
  };
}

function claimsOf(person: Person, groupsClaim: string): { sub: string } & Record<string, unknown> {
  const { sub, name, email, email_verified, groups } = person;
  return { sub, name, ...(email === null ? {} : { email, email_verified }), [groupsClaim]: [...groups] };
}
