import type { serverContracts, upstreamContracts } from '@gatehouse/contracts';
import type { z } from 'zod';

type Auth = z.output<typeof upstreamContracts.serverAuth>;
type Transport = z.output<typeof serverContracts.transport>;
type Grant = upstreamContracts.UpstreamOauth['grant'];

/** What was set for a server. */
export interface AccessAsSet {
  auth: Auth;
  /** Null: follows from the rest. */
  identityMode: upstreamContracts.IdentityMode | null;
  transport: Transport;
  hasPlainHeaders: boolean;
  hasSecretHeaders: boolean;
  /** By its own settings or its preset's. */
  grant: Grant;
}

/** What probes found out about a server; null as long as none came to know. */
export interface AccessAsFound {
  /** The newest that is not `failed`: what broke on the way tells nothing of what the server needs. */
  verdict: upstreamContracts.AuthVerdict | null;
  transport: serverContracts.Server['health']['transport'];
}

/** How a server's calls are signed in and spoken. */
export interface EffectiveAccess {
  /** `auto` while nobody knows. */
  auth: Auth;
  identityMode: upstreamContracts.IdentityMode;
  /** `auto` while nobody knows. */
  transport: Transport;
}

const AUTH_OF_VERDICT: Readonly<Record<upstreamContracts.AuthVerdict, Auth>> = { open: 'none', sign_in: 'oauth', client: 'oauth', header: 'headers', failed: 'auto' };

const MODE_OF_GRANT: Readonly<Record<NonNullable<Grant>, upstreamContracts.IdentityMode>> = {
  authorization_code: 'private-or-global',
  client_credentials: 'global',
  token_exchange: 'private-required',
  id_jag: 'private-required',
};

/** What is set counts; what is left open follows from what probes found. */
export function effectiveAccess(set: AccessAsSet, found: AccessAsFound): EffectiveAccess {
  const auth = authOf(set, found);
  return { auth, identityMode: set.identityMode ?? modeOf(auth, set, found), transport: set.transport === 'auto' ? (found.transport ?? 'auto') : set.transport };
}

function authOf({ auth, hasSecretHeaders }: AccessAsSet, { verdict }: AccessAsFound): Auth {
  if (auth !== 'auto') return auth;
  if (hasSecretHeaders) return 'headers';
  return verdict === null ? 'auto' : AUTH_OF_VERDICT[verdict];
}

function modeOf(auth: Auth, { hasPlainHeaders, hasSecretHeaders, grant }: AccessAsSet, { verdict }: AccessAsFound): upstreamContracts.IdentityMode {
  if (auth === 'oauth') return MODE_OF_GRANT[grant ?? 'authorization_code'];
  if (auth !== 'headers') return 'none';
  if (hasSecretHeaders) return 'global';
  // Plain headers are all that is sent, unless the server was seen to want more.
  return hasPlainHeaders && verdict !== 'header' ? 'none' : 'private-or-global';
}
