import { Fault, type Secret } from '@gatehouse/kernel';
import type { ProviderSettings } from './identity-provider-rows.js';
import type { SignInConfig } from './sign-in-config.js';

/** The provider that the environment sets; it cannot be changed through the API. */
export interface EnvironmentProvider {
  settings: ProviderSettings;
  secret: Secret | undefined;
}

/** Its name. */
export const ENVIRONMENT_PROVIDER = 'default';

/**
 * The provider of `GATEHOUSE_OIDC_…`, or undefined without an issuer. A `Fault` names what does not
 * fit together: half a provider would look like a sign-in that works.
 */
export function environmentProvider(config: SignInConfig): EnvironmentProvider | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: secret } = config;
  if (issuer === undefined) {
    if (clientId !== undefined || secret !== undefined) throw new Fault('GATEHOUSE_OIDC_CLIENT_ID is set but GATEHOUSE_OIDC_ISSUER is not');
    return undefined;
  }
  if (clientId === undefined) throw new Fault('GATEHOUSE_OIDC_ISSUER needs GATEHOUSE_OIDC_CLIENT_ID');
  return { settings: settingsOf(config, issuer, clientId), secret };
}

function settingsOf(config: SignInConfig, issuer: string, clientId: string): ProviderSettings {
  return {
    displayName: config.oidcDisplayName ?? 'your organisation',
    issuer,
    clientId,
    scopes: config.oidcScopes ?? ['openid', 'profile', 'email'],
    claims: { name: 'name', email: 'email', groups: config.oidcGroupsClaim ?? 'groups' },
    provisioning: config.oidcProvisioning ?? 'first-use',
    linkByEmail: config.oidcLinkByEmail ?? true,
    administratorRule: config.oidcAdminRule ?? null,
    identityAssertions: false,
    keepTokens: config.oidcKeepTokens ?? false,
    allowPrivateNetwork: config.oidcAllowPrivateNetwork ?? false,
    enabled: true,
  };
}
