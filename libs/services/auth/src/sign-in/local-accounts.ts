import { signInContracts, type Actor } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { refuseStronger } from '../roles/refuse-more-than-held.js';
import { sealToEdge } from '../tokens/seal-to-edge.js';
import { createSignInLink, SIGN_IN_LINK_MS } from './sign-in-links.js';

/** What `LocalAccounts` works with. */
export interface LocalAccountsParts {
  db: Database;
  log: Logger;
  clock: Clock;
  /** Off unless the operator said otherwise: whoever makes a link for somebody could use it themselves. */
  isOn: boolean;
}

/** Sign-in without an identity provider: links that an administrator makes and hands over. */
export class LocalAccounts {
  constructor(private readonly parts: LocalAccountsParts) {}

  /**
   * Makes a one-time link for a person, sealed to the asking edge under `signInLinkContext`. Refuses
   * with `conflict` (reason `local_accounts_off`) where they are off, with `capability_missing` for
   * somebody who holds more than the actor, with `not_found` for nobody, a service account or a
   * disabled person, and with `bad_request` an edge key that is none.
   */
  async createLink(by: Actor, personId: string, edgeKey: string): Promise<{ sealedPath: string; expiresAt: number }> {
    const { db, log, clock, isOn } = this.parts;
    if (!isOn) throw new Refusal('conflict', { reason: 'local_accounts_off' });
    const made = await db.transaction(async (tx) => {
      await refuseStronger(tx, by, personId);
      const expiresAt = clock.now() + SIGN_IN_LINK_MS;
      const path = await createSignInLink(tx, personId, clock);
      return { sealedPath: sealToEdge(edgeKey, Buffer.from(path), signInContracts.signInLinkContext(personId)), expiresAt };
    });
    log.info({ actorId: by.callerId, personId }, 'sign-in link made');
    return made;
  }
}
