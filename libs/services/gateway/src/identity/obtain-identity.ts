import type { Bus } from '@gatehouse/bus';
import { identityContracts, type policyContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { Account } from '../snapshot/directory-state.js';
import { Briefly } from './briefly.js';

type Entry = policyContracts.SnapshotServer;

/** Auth itself remembers for longer what was in the way. */
const ASKED_AGAIN_MS = 1_000;
const DIRECTORY_WITHIN_MS = 5_000;

/** Identities that nobody has to connect: auth makes them of a person's sign-in (token exchange, ID-JAG), or signs the organisation in. */
export class ObtainedIdentities {
  readonly #asked = new Briefly<string | null>(ASKED_AGAIN_MS);

  constructor(
    private readonly bus: Bus,
    /** Waits until a directory is in force here. */
    private readonly reached: (version: SnapshotVersion, limitMs: number) => Promise<boolean>,
  ) {}

  /** Asks for one, once for calls of the same moment; resolves when the directory in force has it, or to a sentence about why there is none. */
  obtain(serverId: string, personId: string): Promise<string | null> {
    return this.#asked.get(`${serverId} ${personId}`, () => this.#ask(serverId, personId));
  }

  async #ask(serverId: string, personId: string): Promise<string | null> {
    try {
      const { identityId, problem, directory } = await this.bus.request(identityContracts.obtainIdentity, { serverId, personId });
      if (identityId === null) return problem;
      return (await this.reached(directory, DIRECTORY_WITHIN_MS)) ? null : NOT_HERE_YET;
    } catch (error) {
      // Without auth nobody gets a new identity; the call is refused for want of one, and says so.
      if (error instanceof Refusal) return NOT_NOW;
      throw error;
    }
  }
}

const NOT_HERE_YET = 'An account was made for you and is not known here yet: try again in a moment.';
const NOT_NOW = 'No account can be made for you just now: try again in a moment.';

/** Whether accounts at a server are made by auth, so that nobody connects any. */
export function isMadeByAuth({ auth, grant }: Pick<Entry, 'auth' | 'grant'>): boolean {
  return auth === 'oauth' && grant !== null && grant !== 'authorization_code';
}

/** Has an identity made for a person at such a server; whether there is one now, the directory says. Resolves to a sentence about what is in the way. */
export async function obtainIdentity({ id }: Entry, account: Account, edge: Edge): Promise<string | null> {
  return account.kind === 'person' ? edge.obtained.obtain(id, account.id) : null;
}
