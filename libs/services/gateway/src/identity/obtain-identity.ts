import type { Bus } from '@gatehouse/bus';
import { identityContracts, type policyContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { Account } from '../snapshot/directory-state.js';
import { Briefly } from './briefly.js';

type Entry = policyContracts.SnapshotServer;

const ASKED_AGAIN_MS = 5_000;
const DIRECTORY_WITHIN_MS = 5_000;

/** Identities that nobody has to connect: auth makes them from a person's sign-in (token exchange, ID-JAG). */
export class ObtainedIdentities {
  readonly #asked = new Briefly<boolean>(ASKED_AGAIN_MS);

  constructor(
    private readonly bus: Bus,
    /** Waits until a directory is in force here. */
    private readonly reached: (version: SnapshotVersion, limitMs: number) => Promise<boolean>,
  ) {}

  /** Asks for one, once for calls of the same moment; true when the directory in force has it. */
  obtain(serverId: string, personId: string): Promise<boolean> {
    return this.#asked.get(`${serverId} ${personId}`, () => this.#ask(serverId, personId));
  }

  async #ask(serverId: string, personId: string): Promise<boolean> {
    try {
      const { identityId, directory } = await this.bus.request(identityContracts.obtainIdentity, { serverId, personId });
      return identityId !== null && (await this.reached(directory, DIRECTORY_WITHIN_MS));
    } catch (error) {
      // Without auth nobody gets a new identity; the call is refused for want of one, and says so.
      if (error instanceof Refusal) return false;
      throw error;
    }
  }
}

/** Has an identity made for a person who has none at a server with sign-in; whether there is one now, the directory says. */
export async function obtainIdentity({ id, auth, identityMode }: Entry, account: Account, edge: Edge): Promise<void> {
  const mayBeMade = auth === 'oauth' && identityMode !== 'global' && account.kind === 'person';
  if (mayBeMade) await edge.obtained.obtain(id, account.id);
}
