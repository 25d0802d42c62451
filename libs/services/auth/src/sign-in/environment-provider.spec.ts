import { defineConfig, loadConfig } from '@gatehouse/config';
import { describe, expect, it } from '@jest/globals';
import { environmentProvider } from './environment-provider.js';
import { signInConfigFields } from './sign-in-config.js';

const from = (env: Record<string, string>): ReturnType<typeof environmentProvider> => environmentProvider(loadConfig(defineConfig(signInConfigFields), env));
const GIVEN = { GATEHOUSE_OIDC_ISSUER: 'https://idp.acme.example', GATEHOUSE_OIDC_CLIENT_ID: 'gatehouse' };

describe('the provider of the environment', () => {
  it('is none without an issuer, and one with an issuer and a client id', () => {
    expect(from({})).toBeUndefined();
    expect(from(GIVEN)).toMatchObject({
      settings: { issuer: 'https://idp.acme.example', clientId: 'gatehouse', scopes: ['openid', 'profile', 'email'], administratorRule: null, allowPrivateNetwork: false, provisioning: 'first-use' },
      secret: undefined,
    });
  });

  it('reads every setting', () => {
    const provider = from({
      ...GIVEN,
      GATEHOUSE_OIDC_CLIENT_SECRET: 'a secret',
      GATEHOUSE_OIDC_ADMIN_RULE: 'groups=gatehouse=admins',
      GATEHOUSE_OIDC_GROUPS_CLAIM: 'realm_access.roles',
      GATEHOUSE_OIDC_SCOPES: 'openid  groups',
      GATEHOUSE_OIDC_PROVISIONING: 'invited',
      GATEHOUSE_OIDC_LINK_BY_EMAIL: 'off',
      GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK: 'on',
    });
    expect(provider?.settings).toMatchObject({
      administratorRule: { claim: 'groups', value: 'gatehouse=admins' },
      claims: { groups: 'realm_access.roles' },
      scopes: ['openid', 'groups'],
      provisioning: 'invited',
      linkByEmail: false,
      allowPrivateNetwork: true,
    });
    expect(provider?.secret?.use((bytes) => bytes.toString())).toBe('a secret');
    expect(JSON.stringify(provider)).not.toContain('a secret');
  });

  it('refuses the start when half of it is missing or makes no sense', () => {
    expect(() => from({ GATEHOUSE_OIDC_ISSUER: GIVEN.GATEHOUSE_OIDC_ISSUER })).toThrow('GATEHOUSE_OIDC_CLIENT_ID');
    expect(() => from({ GATEHOUSE_OIDC_CLIENT_SECRET: 'x' })).toThrow('GATEHOUSE_OIDC_ISSUER');
    expect(() => from({ ...GIVEN, GATEHOUSE_OIDC_ADMIN_RULE: 'admins' })).toThrow('claim=value');
    expect(() => from({ ...GIVEN, GATEHOUSE_OIDC_ISSUER: 'idp.acme.example' })).toThrow('GATEHOUSE_OIDC_ISSUER');
  });
});
