import type { authContracts, vaultContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { chosen } from '../pipeline/identify.js';
import type { Authorized } from '../pipeline/authorize.js';
import type { Resolved } from '../pipeline/resolve.js';
import type { ConnectLink } from './connect-links.js';
import { isMadeByAuth, obtainIdentity } from './obtain-identity.js';

const MANAGES_SHARED: authContracts.Capability = 'identities.manage';
const NO_ACCOUNT_OF_ITS_OWN = 'A service account has no account of its own there: an administrator must share one of the organisation.';
const MADE_OF_SIGN_INS = 'Accounts at this server are made of people’s sign-ins: a service account has none, and cannot be given one.';
const NOT_MADE_YET = 'The account of the organisation could not be made: an administrator must look at this server.';
const MADE_JUST_NOW = 'An account was made for you just now: try again.';
const ADMINISTRATORS_ONLY = 'This server is called with an account of the organisation: an administrator must connect it.';

/** True for the refusals that connecting an account ends. */
export function wantsIdentity(error: unknown): error is Refusal {
  return error instanceof Refusal && (error.code === 'identity_missing' || error.code === 'identity_dead');
}

/**
 * The same refusal with the way out of it: for a person a link, under which they (and nobody else) connect
 * the account; for others who can do something about it. Plain while auth cannot be asked.
 */
export async function withWayOut({ code, details }: Refusal, authorized: Authorized, edge: Edge): Promise<Refusal> {
  const { resolved } = authorized;
  const server = resolved.server.entry.name;
  if (isMadeByAuth(resolved.server.entry)) return new Refusal(code, { ...details, server, advice: await adviceWhereMade(details, resolved, edge) });
  if (resolved.caller.who.account.kind === 'service_account') return new Refusal(code, { ...details, server, advice: NO_ACCOUNT_OF_ITS_OWN });
  if (connectsAs(resolved) === undefined) return new Refusal(code, { ...details, server, advice: ADMINISTRATORS_ONLY });
  const link = await linkOf(authorized, edge);
  if (link === undefined) return new Refusal(code, { ...details, server });
  return new Refusal(code, { ...details, server, advice: `Connect it here: ${link.url}`, connect: { ...link } });
}

// Who was refused for an account that ended in the middle of a call has not been told yet what to do.
async function adviceWhereMade({ advice }: Refusal['details'], { caller, server }: Resolved, edge: Edge): Promise<string> {
  const { account } = caller.who;
  if (account.kind === 'service_account') return server.entry.grant === 'client_credentials' ? NOT_MADE_YET : MADE_OF_SIGN_INS;
  return typeof advice === 'string' ? advice : ((await obtainIdentity(server.entry, account, edge)) ?? MADE_JUST_NOW);
}

/** The link of a refusal, where it has one. */
export function connectLinkOf({ details }: Refusal): ConnectLink | undefined {
  return details['connect'] as ConnectLink | undefined;
}

/** The link under which this caller connects what the call lacks; nothing for those who cannot, or while auth is away. */
export async function linkOf(authorized: Authorized, edge: Edge): Promise<ConnectLink | undefined> {
  const { resolved } = authorized;
  const owner = connectsAs(resolved);
  if (owner === undefined) return undefined;
  const { identity } = chosen(authorized, edge);
  const identityId = identity?.owner === owner ? identity.id : null;
  return edge.connectLinks.of({ personId: resolved.caller.who.account.id, serverId: resolved.server.entry.id, owner, identityId });
}

/** Whose account this caller may connect here; undefined for nobody's. */
export function connectsAs({ caller, server }: Resolved): vaultContracts.CredentialOwner | undefined {
  const { account, capabilities } = caller.who;
  if (account.kind === 'service_account') return undefined;
  if (server.entry.identityMode !== 'global') return account.id;
  return capabilities.has(MANAGES_SHARED) ? 'global' : undefined;
}
