import { httpUrl, onOff, oneOf, type Field } from '@gatehouse/config';
import type { Secret } from '@gatehouse/kernel';
import { z } from 'zod';

const claim = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be the name of a claim');

const administratorRule = z
  .string()
  .regex(/^[\x21-\x3c\x3e-\x7e]{1,200}=.{1,500}$/, 'must be claim=value, for example groups=gatehouse-admins')
  .transform((text) => ({ claim: text.slice(0, text.indexOf('=')), value: text.slice(text.indexOf('=') + 1) }));

/** The identity provider of the environment, and whether there is sign-in without one. */
export const signInConfigFields = {
  oidcIssuer: {
    env: 'GATEHOUSE_OIDC_ISSUER',
    schema: httpUrl().optional(),
    describe: 'Issuer of the OpenID provider that people sign in at, as its discovery document spells it. Without it providers are set through the API, or people sign in by a one-time link.',
  },
  oidcClientId: {
    env: 'GATEHOUSE_OIDC_CLIENT_ID',
    schema: z.string().min(1).max(512).optional(),
    describe: 'Client id of Gatehouse at that provider; its redirect URI is <public URL>/login/callback.',
  },
  oidcClientSecret: {
    env: 'GATEHOUSE_OIDC_CLIENT_SECRET',
    schema: z.string().min(1).optional(),
    secret: true,
    describe: 'Client secret of Gatehouse at that provider; without it Gatehouse is a public client there.',
  },
  oidcScopes: {
    env: 'GATEHOUSE_OIDC_SCOPES',
    schema: z
      .string()
      .transform((text) => text.split(/\s+/).filter((scope) => scope !== ''))
      .optional(),
    describe: 'Scopes to ask for, separated by spaces; openid profile email unless set. Some providers want one more for groups.',
  },
  oidcGroupsClaim: {
    env: 'GATEHOUSE_OIDC_GROUPS_CLAIM',
    schema: claim.optional(),
    describe: 'Claim that holds a person’s groups; groups unless set. A dot goes into an object: realm_access.roles.',
  },
  oidcAdminRule: {
    env: 'GATEHOUSE_OIDC_ADMIN_RULE',
    schema: administratorRule.optional(),
    describe: 'claim=value: whoever signs in with it becomes administrator while nobody who can sign in is one.',
  },
  oidcProvisioning: {
    env: 'GATEHOUSE_OIDC_PROVISIONING',
    schema: oneOf(['first-use', 'invited']).optional(),
    describe: 'first-use (unless set): whoever the provider lets in becomes a person here. invited: only people who were added before may enter.',
  },
  oidcLinkByEmail: {
    env: 'GATEHOUSE_OIDC_LINK_BY_EMAIL',
    schema: onOff().optional(),
    describe: 'on (unless set): a verified address joins a sign-in to the person who was added with it.',
  },
  oidcDisplayName: {
    env: 'GATEHOUSE_OIDC_DISPLAY_NAME',
    schema: z.string().min(1).max(100).optional(),
    describe: 'What the sign-in page calls this provider when there is a choice.',
  },
  oidcKeepTokens: {
    env: 'GATEHOUSE_OIDC_KEEP_TOKENS',
    schema: onOff().optional(),
    describe: 'on: the tokens of a sign-in are kept in the vault while it lasts, to make people’s accounts at servers from them (token exchange, ID-JAG).',
  },
  oidcAllowPrivateNetwork: {
    env: 'GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK',
    schema: onOff().optional(),
    describe: 'on: the provider may be on loopback or a private network, also by plain http.',
  },
  localAccounts: {
    env: 'GATEHOUSE_LOCAL_ACCOUNTS',
    schema: onOff(),
    default: 'off',
    describe: 'on: whoever manages people may make a link that signs a person in once, within fifteen minutes; never for somebody who holds more than they do. For people that no identity provider knows.',
  },
} as const satisfies Record<string, Field>;

/** How people sign in, as read. */
export interface SignInConfig {
  oidcIssuer?: string | undefined;
  oidcClientId?: string | undefined;
  oidcClientSecret?: Secret | undefined;
  oidcScopes?: string[] | undefined;
  oidcGroupsClaim?: string | undefined;
  oidcAdminRule?: { claim: string; value: string } | undefined;
  oidcProvisioning?: 'first-use' | 'invited' | undefined;
  oidcLinkByEmail?: boolean | undefined;
  oidcDisplayName?: string | undefined;
  oidcKeepTokens?: boolean | undefined;
  oidcAllowPrivateNetwork?: boolean | undefined;
  localAccounts?: boolean | undefined;
}
