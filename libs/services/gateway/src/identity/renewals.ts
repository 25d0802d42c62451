import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@gatehouse/bus';
import { identityContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { CredentialLeases } from '../credentials/credential-leases.js';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import { Briefly } from './briefly.js';

/** What asking for a new credential came to; `unknown` when auth could not be asked. */
export type Renewal = 'fresh' | 'unchanged' | 'retrying' | 'dead' | 'unknown';

/** Why a new credential is asked for. */
export interface RenewalWish {
  readonly identityId: string;
  /** The version that was at hand; 0 for none. */
  readonly version: number;
  readonly cause: 'expiring' | 'expired' | 'refused' | 'restarted';
  readonly challenge: string | null;
  /** The server took this version before. */
  readonly wasAccepted?: boolean;
}

const LONGEST_CHALLENGE = 4_096;
/** Calls that were under way with the old credential come back a little later than the first: they are told the same. */
const TOLD_AGAIN_MS = 2_000;
/** Edges that see the same end coming do not all ask in the same moment. */
const JITTER_MS = 5_000;
const AHEAD_AGAIN_MS = 15_000;

/** Asks auth for new credentials: for all calls that wait for one, once. Auth makes it once for all edges. */
export class Renewals {
  readonly #asked = new Briefly<Renewal>(TOLD_AGAIN_MS);
  readonly #ahead = new Set<string>();

  constructor(
    private readonly bus: Bus,
    private readonly leases: CredentialLeases,
    private readonly log: Logger,
    private readonly jitterMs = JITTER_MS,
  ) {}

  /** Asks and waits for the answer; `fresh` means that leasing again gives the new credential. */
  ask(wish: RenewalWish): Promise<Renewal> {
    return this.#asked.get(`${wish.identityId} ${wish.version} ${wish.cause}`, () => this.#refresh(wish));
  }

  /** Has a credential that is about to end renewed while calls go on using it. */
  ahead(identityId: string, { terms: { version, endsAt } }: LeasedCredential, nowMs: number): void {
    const key = `${identityId} ${version}`;
    if (this.#ahead.has(key)) return;
    this.#ahead.add(key);
    void this.#askAhead({ identityId, version, cause: 'expiring', challenge: null }, endsAt - nowMs).finally(() => {
      // Not renewed yet: the next call after a while asks again.
      setTimeout(() => this.#ahead.delete(key), AHEAD_AGAIN_MS).unref();
    });
  }

  // A token of seconds must be renewed within them.
  async #askAhead(wish: RenewalWish, leftMs: number): Promise<void> {
    await sleep(Math.random() * Math.min(this.jitterMs, Math.max(leftMs, 0) / 4), undefined, { ref: false });
    await this.ask(wish);
  }

  async #refresh(wish: RenewalWish): Promise<Renewal> {
    const challenge = wish.challenge?.slice(0, LONGEST_CHALLENGE) ?? null;
    try {
      const { outcome } = await this.bus.request(identityContracts.refreshIdentity, { ...wish, challenge });
      // What was leased before must not be leased by those who were told; the vault's own event may come later.
      if (outcome === 'fresh') this.leases.drop(wish.identityId);
      return outcome;
    } catch (error) {
      return this.#withoutAnswer(error, wish);
    }
  }

  #withoutAnswer(error: unknown, { identityId, cause }: RenewalWish): Renewal {
    // It was removed in this moment: the directory without it is on its way.
    if (error instanceof Refusal && error.code === 'not_found') return 'dead';
    this.log.warn({ identityId, cause, err: error }, 'a credential could not be renewed');
    return 'unknown';
  }
}
