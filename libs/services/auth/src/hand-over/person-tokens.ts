import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, Refusal, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { SignInProvider } from '../sign-in/federation.js';
import { dropStale, isKept, markEnded, refsOf, settleKept, takeKept, usableSignIns, type KeptSignIn, type UsableSignIn } from './kept-rows.js';
import type { ProviderRequests } from './provider-requests.js';
import { SignInNeeded } from './sign-in-needed.js';
import { wipe, type SignInTokens } from './sign-in-tokens.js';
import type { TokenVault } from './token-vault.js';

/** What `PersonTokens` works with. */
export interface PersonTokensParts {
  db: Database;
  vault: TokenVault;
  providers: { named(name: string): Promise<SignInProvider | undefined> };
  requests: ProviderRequests;
  log: Logger;
  clock: Clock;
}

/** A person's sign-in as it can be exchanged now; whoever has it wipes the tokens. */
export interface ExchangeableSignIn {
  provider: SignInProvider;
  tokens: SignInTokens;
  /** False when the id_token ended and the provider gave no new one with the refresh: the refresh token stands for the person then. */
  hasIdToken: boolean;
}

/** An id_token is not handed on when it ends sooner than the other side may need to look at it. */
const ENOUGH_MS = 30_000;
const LEASE_MS = 20_000;
const WAIT_MS = 10_000;

type Found = UsableSignIn & { at: SignInProvider };

/** The kept tokens of people's sign-ins, renewed at their identity provider when they have ended, once for all who ask. */
export class PersonTokens {
  constructor(private readonly parts: PersonTokensParts) {}

  /** The person's newest sign-in, its id_token good for a while. Rejects with `SignInNeeded`, and with a `Refusal` for what may pass. */
  async of(personId: string): Promise<ExchangeableSignIn> {
    for (const limit = performance.now() + WAIT_MS; performance.now() < limit; await sleep(60)) {
      const found = await this.newest(personId);
      const tokens = await this.parts.vault.read(found.tokensRef);
      if (tokens !== undefined && this.isGood(tokens)) return { provider: found.at, tokens, hasIdToken: true };
      if (tokens !== undefined) wipe(tokens);
      const renewed = await this.renew(found);
      if (renewed !== undefined) return renewed;
    }
    throw new Refusal('service_timeout');
  }

  // Of providers that are not what they were, or keep nothing any more, nothing is taken though it may not be destroyed yet.
  private async newest(personId: string): Promise<Found> {
    for (const kept of await usableSignIns(this.parts.db, personId)) {
      const at = await this.parts.providers.named(kept.provider);
      const isSame = at !== undefined && at.settings.keepTokens && at.settings.issuer === kept.issuer && at.settings.clientId === kept.clientId;
      if (isSame) return { ...kept, at };
    }
    throw new SignInNeeded();
  }

  private isGood({ idTokenUntil }: SignInTokens): boolean {
    return idTokenUntil - this.parts.clock.now() > ENOUGH_MS;
  }

  /** Undefined: another renews it just now, or it is worth nothing any more. */
  private async renew({ sessionHash, subject, at }: Found): Promise<ExchangeableSignIn | undefined> {
    const { db, clock } = this.parts;
    const [holder, promised] = [randomUUID(), newId('secret', clock)];
    const row = await takeKept(db, { sessionHash, holder, promised, leaseMs: LEASE_MS });
    if (row === undefined) return undefined;
    let tokensRef = row.tokensRef;
    try {
      const current = await this.current(row);
      tokensRef = current.ref;
      if (this.isGood(current.tokens)) return { provider: at, tokens: current.tokens, hasIdToken: true };
      const renewed = await this.asked(at, subject, current.tokens);
      await this.parts.vault.store(promised, renewed);
      tokensRef = promised;
      return { provider: at, tokens: renewed, hasIdToken: renewed.idTokenUntil > clock.now() };
    } catch (error) {
      if (!(error instanceof SignInNeeded)) throw error;
      await markEnded(db, sessionHash);
      return undefined;
    } finally {
      await this.settle(row, { holder, tokensRef });
    }
  }

  /** Where an earlier holder died after the vault had the newer tokens, those are the ones. */
  private async current({ pendingRef, tokensRef }: KeptSignIn): Promise<{ ref: string; tokens: SignInTokens }> {
    for (const ref of [pendingRef, tokensRef]) {
      const tokens = ref === null ? undefined : await this.parts.vault.read(ref);
      if (ref !== null && tokens !== undefined) return { ref, tokens };
    }
    throw new SignInNeeded();
  }

  private async asked(at: SignInProvider, subject: string, tokens: SignInTokens): Promise<SignInTokens> {
    try {
      if (tokens.refreshToken === null) throw new SignInNeeded();
      return await this.parts.requests.renew(at, subject, { ...tokens, refreshToken: tokens.refreshToken });
    } finally {
      wipe(tokens);
    }
  }

  private async settle(row: KeptSignIn, { holder, tokensRef }: { holder: string; tokensRef: string }): Promise<void> {
    const { db, vault, log } = this.parts;
    const staleRefs = refsOf(row).filter((ref) => ref !== tokensRef);
    const isSettled = await settleKept(db, { sessionHash: row.sessionHash, holder, tokensRef, staleRefs });
    // Whoever was too slow leaves the secrets to the one that took over; what no row leads to any more is to nobody's use.
    if (!isSettled && (await isKept(db, row.sessionHash))) return;
    if (!isSettled) staleRefs.push(tokensRef);
    try {
      await vault.destroy(staleRefs);
      await dropStale(db, row.sessionHash, staleRefs);
    } catch (error) {
      log.warn({ err: error, personId: row.personId }, 'used tokens of a sign-in could not be destroyed yet');
    }
  }
}
