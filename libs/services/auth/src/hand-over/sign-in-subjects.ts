import type { Secret } from '@gatehouse/kernel';
import type { ExchangeableSignIn, PersonTokens } from './person-tokens.js';
import type { AssertionWish, ProviderRequests } from './provider-requests.js';
import { SignInNeeded } from './sign-in-needed.js';
import { wipe } from './sign-in-tokens.js';

/** What stands for people at authorization servers of upstreams, by the word of their identity provider. */
export class SignInSubjects {
  constructor(private readonly parts: { tokens: PersonTokens; requests: ProviderRequests }) {}

  /** Lends the person's id_token to a token exchange. Rejects as `PersonTokens.of` does, and as `use`. */
  withIdToken<T>(personId: string, use: (idToken: Secret) => Promise<T>): Promise<T> {
    return this.lent(personId, ({ tokens, hasIdToken }) => {
      // The refresh token is the provider's and ours; nobody else ever sees it.
      if (!hasIdToken) throw new SignInNeeded();
      return use(tokens.idToken);
    });
  }

  /** An identity assertion about the person from their provider; the caller wipes it. Rejects as `PersonTokens.of` and `ProviderRequests.idJag` do. */
  idJag(personId: string, wish: AssertionWish): Promise<Secret> {
    return this.lent(personId, ({ provider, tokens: { idToken, refreshToken }, hasIdToken }) => {
      const subject = hasIdToken || refreshToken === null ? ({ token: idToken, kind: 'id_token' } as const) : ({ token: refreshToken, kind: 'refresh_token' } as const);
      return this.parts.requests.idJag(provider, subject, wish);
    });
  }

  private async lent<T>(personId: string, use: (signIn: ExchangeableSignIn) => Promise<T>): Promise<T> {
    const signIn = await this.parts.tokens.of(personId);
    try {
      return await use(signIn);
    } finally {
      wipe(signIn.tokens);
    }
  }
}
