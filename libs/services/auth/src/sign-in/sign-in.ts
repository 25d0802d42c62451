import { systemClock, type Clock } from '@gatehouse/kernel';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import type { KeptSignIns } from '../hand-over/kept-sign-ins.js';
import type { Federation, SignInProvider } from './federation.js';
import type { LoginSessions } from './login-sessions.js';
import type { LoginTransactions } from './login-transactions.js';
import { SignInRefusal } from './sign-in-refusal.js';
import type { SignInSteps } from './sign-in-steps.js';

/** What `SignIn` works with. */
export interface SignInParts {
  steps: SignInSteps;
  transactions: LoginTransactions;
  federation: Federation;
  sessions: LoginSessions;
  changes: DirectoryChanges;
  /** Keeps what providers give besides, where that is allowed. */
  kept: Pick<KeptSignIns, 'begin'>;
  clock?: Clock;
  /** Longest time for one step (ms); fifteen seconds unless told. */
  stepLimitMs?: number;
}

/** A sign-in to begin. */
export interface AskedSignIn {
  provider: SignInProvider;
  returnTo: string;
  /** The person must sign in anew, whatever session the provider has. */
  isFresh: boolean;
}

/** Where the browser goes, and what it keeps. */
export interface Onward {
  location: string;
  /** Texts of `Set-Cookie` headers. */
  cookies: string[];
}

/** A sign-in that succeeded. */
export interface SignedIn extends Onward {
  personId: string;
  name: string;
  provider: string;
}

const STEP_LIMIT_MS = 15_000;

/** Signs people in at their identity provider: out to it, and back with an answer. */
export class SignIn {
  private readonly clock: Clock;

  constructor(private readonly parts: SignInParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Begins a sign-in; refuses like the provider does. */
  async begin({ provider, returnTo, isFresh }: AskedSignIn, cookieHeader: string | undefined): Promise<Onward> {
    const { transactions, federation } = this.parts;
    const asked = { provider: provider.name, issuer: provider.settings.issuer, returnTo, freshSince: isFresh ? this.clock.now() : null };
    const { transaction, state, cookies } = await transactions.begin(asked, cookieHeader);
    return { location: (await federation.authorizationUrl(provider, transaction, state)).href, cookies };
  }

  /**
   * Takes the provider's answer. Person, groups and session are one transaction: either the person is
   * signed in with all of it, or nothing happened. The session's id is always new (session fixation).
   */
  async finish(query: URLSearchParams, cookieHeader: string | undefined): Promise<SignedIn> {
    const { steps, changes, sessions, transactions, kept } = this.parts;
    const state = onlyState(query);
    const transaction = await this.limited(steps.transaction(state, cookieHeader));
    const provider = await this.limited(steps.provider(transaction));
    const proof = await this.limited(steps.redeem(provider, transaction, query));
    const arrival = await this.limited(steps.profile(provider, proof));
    const { result } = await changes.apply(async (tx) => {
      const admitted = await this.limited(steps.admit(tx, arrival));
      await sessions.replace(tx, cookieHeader);
      const { subject, sid, authAt } = arrival;
      const { personId } = admitted;
      const { cookie, idHash } = await this.limited(steps.session(tx, { personId, provider: provider.name, subject, sid, authAt }));
      const keep = arrival.tokens === undefined ? undefined : await kept.begin(tx, { sessionHash: idHash, personId, provider, tokens: arrival.tokens });
      return { result: { ...admitted, cookie, keep }, changed: admitted.changed };
    });
    const { personId, name, cookie, keep } = result;
    await keep?.();
    return { personId, name, provider: provider.name, location: transaction.returnTo, cookies: [transactions.forget(state), cookie] };
  }

  private async limited<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new SignInRefusal('slow')), this.parts.stepLimitMs ?? STEP_LIMIT_MS);
    });
    return Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
  }
}

function onlyState(query: URLSearchParams): string {
  const [state, ...more] = query.getAll('state');
  if (state === undefined || more.length > 0) throw new SignInRefusal('over');
  return state;
}
