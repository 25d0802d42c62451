import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { chooseIdentity } from '../identity/choose-identity.js';
import type { Choice } from '../identity/identity-index.js';
import { isMadeByAuth, obtainIdentity } from '../identity/obtain-identity.js';
import type { Authorized } from './authorize.js';
import type { Resolved } from './resolve.js';

let earn: (authorized: Authorized, choice: Choice) => Identified;

/** A permitted call of which it is known whose credential it carries: a usable one, or none because none is wanted. */
export class Identified {
  protected readonly earned = true;
  readonly resolved: Resolved;

  private constructor(
    readonly authorized: Authorized,
    readonly choice: Choice,
  ) {
    this.resolved = authorized.resolved;
  }

  static {
    earn = (authorized, choice) => new Identified(authorized, choice);
  }
}

/**
 * Chooses the identity from the directory in memory, for the record and for the lease. Refuses with
 * `identity_missing`, `identity_dead`, `directory_stale`. Waits only where a person has none that is
 * accepted and auth can make one.
 */
export function identify(authorized: Authorized, edge: Edge): Identified | Promise<Identified> {
  const choice = chosen(authorized, edge);
  return isUsable(choice) || !isMadeByAuth(authorized.resolved.server.entry) ? identified(authorized, choice) : obtained(authorized, edge);
}

/** Whose credential a call carries by the directory in force now. */
export function chosen({ resolved }: Authorized, edge: Edge): Choice {
  return chooseIdentity(edge.state.directory().identities, resolved.server.entry, resolved.caller.who.account);
}

function isUsable({ outcome }: Choice): boolean {
  return outcome !== 'missing' && outcome !== 'dead';
}

async function obtained(authorized: Authorized, edge: Edge): Promise<Identified> {
  const { server, caller } = authorized.resolved;
  const problem = await obtainIdentity(server.entry, caller.who.account, edge);
  const choice = chosen(authorized, edge);
  if (isUsable(choice)) return identified(authorized, choice);
  authorized.resolved.caller.received.draft.facts.identity = choice.facts;
  throw new Refusal('identity_missing', { reason: choice.reason, ...(problem === null ? {} : { advice: problem }) });
}

function identified(authorized: Authorized, choice: Choice): Identified {
  authorized.resolved.caller.received.draft.facts.identity = choice.facts;
  if (choice.outcome === 'missing') throw new Refusal('identity_missing', { reason: choice.reason });
  if (choice.outcome === 'dead') throw new Refusal('identity_dead', { reason: choice.reason });
  return earn(authorized, choice);
}
