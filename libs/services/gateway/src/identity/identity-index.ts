import type { auditContracts, directoryContracts } from '@gatehouse/contracts';

/** An identity as the directory carries it. */
export type DirectoryIdentity = directoryContracts.Directory['identities'][number];

/** The rule that decided, in the word that records and explanations carry. */
export type ChoiceReason =
  | 'mode_none'
  | 'own_preferred'
  | 'own_only'
  | 'own_newest'
  | 'shared_fallback'
  | 'shared_only'
  | 'nothing_connected'
  | 'not_accepted';

/** Whose credential a call carries, or why none. One object per directory, owner and rule: nothing is made per call. */
export interface Choice {
  readonly outcome: 'none' | 'private' | 'global' | 'missing' | 'dead';
  /** Usable for `private` and `global`; for `dead` the one to connect anew. */
  readonly identity: DirectoryIdentity | null;
  readonly reason: ChoiceReason;
  /** As records carry it, frozen: the spool spells it as text once. */
  readonly facts: NonNullable<auditContracts.RecordFacts['identity']>;
}

/** No identity, by this rule. */
export function choiceOfNone(outcome: 'none' | 'missing', reason: ChoiceReason): Choice {
  return Object.freeze({ outcome, identity: null, reason, facts: Object.freeze({ visibility: 'none' as const, id: null, reason }) });
}

/** What one owner has at one server, judged when it is first asked for and then held. */
export class Holding {
  readonly #held: DirectoryIdentity[] = [];
  #own: Choice | undefined;
  #shared: Choice | undefined;
  #fallback: Choice | undefined;

  /** Adds one while the index is made. */
  add(identity: DirectoryIdentity): void {
    this.#held.push(identity);
  }

  /** Whether it is still held and was not revoked. */
  isLive(id: string): boolean {
    return this.#held.some((each) => each.id === id && each.status !== 'revoked');
  }

  /** As the owner's own: the preferred of the usable ones, the only one, the newest; `dead` when none is usable. */
  get own(): Choice {
    return (this.#own ??= this.#choice('private', undefined));
  }

  /** As the organisation's, where nothing else is asked for. */
  get shared(): Choice {
    return (this.#shared ??= this.#choice('global', 'shared_only'));
  }

  /** As the organisation's, for somebody who has none. */
  get fallback(): Choice {
    return (this.#fallback ??= this.#choice('global', 'shared_fallback'));
  }

  #choice(visibility: 'private' | 'global', named: ChoiceReason | undefined): Choice {
    const usable = this.#held.filter(isUsable);
    const identity = best(usable.length === 0 ? this.#held : usable);
    const reason = usable.length === 0 ? ('not_accepted' as const) : (named ?? ownReason(identity, usable.length));
    const facts = Object.freeze({ visibility, id: identity.id, name: identity.name, reason });
    return Object.freeze({ outcome: usable.length === 0 ? ('dead' as const) : visibility, identity, reason, facts });
  }
}

/** The identities of a directory by server and owner, made once per directory. */
export class IdentityIndex {
  readonly #byServer = new Map<string, Map<string, Holding>>();

  constructor(identities: readonly DirectoryIdentity[]) {
    for (const identity of identities) this.#add(identity);
  }

  /** What `owner` (a person, or `global`) has at a server; undefined for nothing. */
  of(serverId: string, owner: string): Holding | undefined {
    return this.#byServer.get(serverId)?.get(owner);
  }

  /** Whether anybody at all has an account at a server that is accepted. */
  isAnyUsable(serverId: string): boolean {
    const owners = this.#byServer.get(serverId)?.values() ?? [];
    return [...owners].some(({ own }) => own.outcome !== 'dead');
  }

  /** Whether an identity that was chosen before is still its owner's and was not revoked. */
  isLive({ id, serverId, owner }: DirectoryIdentity): boolean {
    return this.of(serverId, owner)?.isLive(id) === true;
  }

  #add(identity: DirectoryIdentity): void {
    let owners = this.#byServer.get(identity.serverId);
    if (owners === undefined) this.#byServer.set(identity.serverId, (owners = new Map()));
    let holding = owners.get(identity.owner);
    if (holding === undefined) owners.set(identity.owner, (holding = new Holding()));
    holding.add(identity);
  }
}

function isUsable({ status }: DirectoryIdentity): boolean {
  return status === 'active' || status === 'retrying';
}

// Ids sort by the time they were made.
function best(identities: readonly DirectoryIdentity[]): DirectoryIdentity {
  return identities.find(({ preferred }) => preferred) ?? identities.reduce((newest, each) => (each.id > newest.id ? each : newest));
}

function ownReason({ preferred }: DirectoryIdentity, count: number): ChoiceReason {
  if (preferred) return 'own_preferred';
  return count === 1 ? 'own_only' : 'own_newest';
}
