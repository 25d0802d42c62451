import { newId, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { SignInProvider } from '../sign-in/federation.js';
import { deleteKept, insertKept, markStored, overSignIns, refsOf, type KeptSignIn } from './kept-rows.js';
import { wipe, type SignInTokens } from './sign-in-tokens.js';
import type { TokenVault } from './token-vault.js';

/** What `KeptSignIns` works with. */
export interface KeptSignInsParts {
  db: Database;
  vault: TokenVault;
  providers: { enabled(): Promise<SignInProvider[]> };
  log: Logger;
  clock: Clock;
}

/** A sign-in whose tokens are to be kept. */
export interface NewSignIn {
  sessionHash: string;
  personId: string;
  provider: SignInProvider;
  tokens: SignInTokens;
}

const EVERY_MS = 5_000;
const UNSTORED_MS = 60_000;

/**
 * The tokens that identity providers gave with sign-ins, where an administrator lets them be kept.
 * They are bound to the login session: once that is ended (here, at the provider, by disabling the
 * person or removing the provider) nothing is made of them any more, and the next sweep destroys them.
 */
export class KeptSignIns {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly parts: KeptSignInsParts) {}

  /**
   * Names, in the transaction of the sign-in, where its tokens will stand; what it resolves to stores
   * them after the commit. A vault that is away does not keep anybody from signing in.
   */
  async begin(tx: Transaction, { sessionHash, personId, provider, tokens }: NewSignIn): Promise<() => Promise<void>> {
    const { clock, db, vault, log } = this.parts;
    const tokensRef = newId('secret', clock);
    const { issuer, clientId } = provider.settings;
    await insertKept(tx, { sessionHash, personId, provider: provider.name, issuer, clientId, tokensRef }, clock.now());
    return async () => {
      try {
        await vault.store(tokensRef, tokens);
        if (!(await markStored(db, sessionHash))) return await vault.destroy([tokensRef]);
        // What was in the way may have been the want of this sign-in.
        await db.query('UPDATE hand_over_turns SET problem = NULL WHERE owner = $1', [personId]);
      } catch (error) {
        log.warn({ err: error, personId }, 'the tokens of a sign-in could not be kept: accounts that are made of them must wait for the next one');
      } finally {
        wipe(tokens);
      }
    };
  }

  /** Begins to sweep, until `stop`. */
  start(): void {
    this.timer ??= setInterval(() => void this.poke(), EVERY_MS).unref();
  }

  /** Resolves when the sweep under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Destroys what nothing may be made of any more; what cannot be destroyed now is with the next sweep. */
  poke(): Promise<void> {
    return (this.running ??= this.sweep().finally(() => (this.running = undefined)));
  }

  private async sweep(): Promise<void> {
    const { db, providers, clock, log } = this.parts;
    try {
      const keeping = (await providers.enabled()).filter(({ settings }) => settings.keepTokens);
      const known = keeping.map(({ name: provider, settings: { issuer, clientId } }) => ({ provider, issuer, clientId }));
      await db.query('DELETE FROM hand_over_turns WHERE problem_until < $1 AND (until IS NULL OR until < clock_timestamp())', [clock.now()]);
      for (const kept of await overSignIns(db, known, clock.now() - UNSTORED_MS)) await this.destroy(kept);
    } catch (error) {
      log.warn({ err: error }, 'tokens of ended sign-ins could not be destroyed yet');
    }
  }

  private async destroy(kept: KeptSignIn): Promise<void> {
    await this.parts.vault.destroy(refsOf(kept));
    await deleteKept(this.parts.db, kept.sessionHash);
    this.parts.log.info({ personId: kept.personId, provider: kept.provider }, 'tokens of an ended sign-in destroyed');
  }
}
