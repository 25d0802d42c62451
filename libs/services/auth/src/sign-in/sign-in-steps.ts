import type { Transaction } from '@gatehouse/persistence';
import type { Accounts, Admitted } from './accounts.js';
import type { Arrival, Federation, Proof, SignInProvider } from './federation.js';
import type { IdentityProviderSource } from './identity-provider-source.js';
import type { LoginSessions, SignedInPerson } from './login-sessions.js';
import type { LoginTransaction, LoginTransactions } from './login-transactions.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** What happens between a provider's answer and a session, in this order; whichever fails, nobody is signed in. */
export const SIGN_IN_STEPS = ['transaction', 'provider', 'redeem', 'profile', 'admit', 'session'] as const;

/** The name of a step. */
export type SignInStep = (typeof SIGN_IN_STEPS)[number];

/** The steps. */
export interface SignInSteps {
  /** Which sign-in of this browser the answer belongs to. */
  transaction(state: string, cookieHeader: string | undefined): Promise<LoginTransaction>;
  /** The provider it was begun at, as long as it is still the same one. */
  provider(transaction: LoginTransaction): Promise<SignInProvider>;
  redeem(provider: SignInProvider, transaction: LoginTransaction, query: URLSearchParams): Promise<Proof>;
  profile(provider: SignInProvider, proof: Proof): Promise<Arrival>;
  admit(tx: Transaction, arrival: Arrival): Promise<Admitted>;
  session(tx: Transaction, person: SignedInPerson): Promise<{ cookie: string; idHash: string }>;
}

/** What the steps are made of. */
export interface SignInStepParts {
  transactions: LoginTransactions;
  providers: IdentityProviderSource;
  federation: Federation;
  accounts: Accounts;
  sessions: LoginSessions;
}

/** The steps as they run. */
export function signInSteps({ transactions, providers, federation, accounts, sessions }: SignInStepParts): SignInSteps {
  return {
    transaction: (state, cookieHeader) => transactions.take(state, cookieHeader),
    provider: async ({ provider: name, issuer }) => {
      const provider = await providers.named(name);
      if (provider === undefined || provider.settings.issuer !== issuer) throw new SignInRefusal('unknown_provider');
      return provider;
    },
    redeem: (provider, transaction, query) => federation.redeem(provider, transaction, query),
    profile: (provider, proof) => federation.profile(provider, proof),
    admit: (tx, arrival) => accounts.admit(tx, arrival),
    session: (tx, person) => sessions.start(tx, person),
  };
}
