import type { Bus } from '@gatehouse/bus';
import { identityContracts, type vaultContracts } from '@gatehouse/contracts';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import { Briefly } from './briefly.js';

/** Under which a person connects an account. */
export type ConnectLink = z.output<typeof identityContracts.startConnect.reply>;

/** Who is to connect what. */
export interface ConnectWish {
  readonly personId: string;
  readonly serverId: string;
  readonly owner: vaultContracts.CredentialOwner;
  /** The identity that is connected anew; null for a first one. */
  readonly identityId: string | null;
}

const HELD_MS = 1_000;

/** Links for calls that wait for an account. Auth gives the same one while it is good; here it is held for a second, so that a busy client does not ask per call, and nobody is shown one for long that was used. */
export class ConnectLinks {
  readonly #links = new Briefly<ConnectLink | undefined>(HELD_MS);

  constructor(
    private readonly bus: Bus,
    private readonly log: Logger,
  ) {}

  /** The link, or nothing while auth cannot give one. */
  of(wish: ConnectWish): Promise<ConnectLink | undefined> {
    return this.#links.get(`${wish.personId} ${wish.serverId} ${wish.owner} ${wish.identityId}`, () => this.#ask(wish));
  }

  async #ask(wish: ConnectWish): Promise<ConnectLink | undefined> {
    try {
      return await this.bus.request(identityContracts.startConnect, { ...wish, name: null, cause: 'call' });
    } catch (error) {
      this.log.warn({ serverId: wish.serverId, err: error }, 'no link to connect an account with');
      return undefined;
    }
  }
}
