/** A scenario of the official suite in which Gatehouse is the client, and what is expected of it. */
export interface ClientScenario {
  name: string;
  /** The revision whose life cycle is spoken, where the suite would take one that Gatehouse does not speak. */
  at?: string;
  /** Checks that do not succeed and why that is right; every other check must. */
  except?: Readonly<Record<string, string>>;
}

const STATEFUL = '2025-11-25';

/** Every `auth/*` scenario. */
export const CLIENT_SCENARIOS: readonly ClientScenario[] = [
  { name: 'auth/metadata-default' },
  { name: 'auth/metadata-var1' },
  { name: 'auth/metadata-var2' },
  { name: 'auth/metadata-var3' },
  { name: 'auth/basic-cimd', except: { 'cimd-client-id-used': 'the suite waits for the address of its own example; Gatehouse names its own document' } },
  { name: 'auth/scope-from-www-authenticate' },
  { name: 'auth/scope-from-scopes-supported' },
  { name: 'auth/scope-omitted-when-undefined' },
  { name: 'auth/scope-step-up' },
  { name: 'auth/scope-retry-limit' },
  { name: 'auth/token-endpoint-auth-basic' },
  { name: 'auth/token-endpoint-auth-post' },
  { name: 'auth/token-endpoint-auth-none' },
  { name: 'auth/pre-registration' },
  { name: 'auth/2025-03-26-oauth-metadata-backcompat' },
  { name: 'auth/2025-03-26-oauth-endpoint-fallback' },
  { name: 'auth/resource-mismatch', at: STATEFUL },
  { name: 'auth/offline-access-scope', at: STATEFUL },
  { name: 'auth/offline-access-not-supported', at: STATEFUL },
  { name: 'auth/authorization-server-migration', at: STATEFUL },
  { name: 'auth/iss-supported', at: STATEFUL },
  { name: 'auth/iss-not-advertised', at: STATEFUL },
  { name: 'auth/iss-supported-missing', at: STATEFUL },
  { name: 'auth/iss-wrong-issuer', at: STATEFUL },
  { name: 'auth/iss-unexpected', at: STATEFUL },
  { name: 'auth/iss-normalized', at: STATEFUL },
  { name: 'auth/metadata-issuer-mismatch', at: STATEFUL },
  { name: 'auth/client-credentials-jwt' },
  { name: 'auth/client-credentials-basic' },
  { name: 'auth/enterprise-managed-authorization' },
  { name: 'auth/dpop' },
  { name: 'auth/dpop-nonce' },
  { name: 'auth/wif-jwt-bearer', except: { 'wif-grant-type': 'a draft (SEP-1933) that the official SDK 2.4 does not speak either: the assertion would be a token that a platform gave the workload; Gatehouse shows its own word of a person or their identity provider’s' } },
];

/** The scenarios that the suite of every story run holds Gatehouse to. */
export const SHORT: readonly string[] = ['auth/metadata-var2', 'auth/scope-from-www-authenticate', 'auth/token-endpoint-auth-basic', 'auth/pre-registration', 'auth/scope-step-up'];
