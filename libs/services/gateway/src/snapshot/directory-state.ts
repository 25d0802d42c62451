import { hash } from 'node:crypto';
import type { directoryContracts } from '@gatehouse/contracts';

/** A person or a service account of the directory, with everything that roles and teams give them. */
export type Account = directoryContracts.Directory['callers'][number];

/** An account behind a usable token, prepared once per directory so that a call looks up and compares only. */
export interface DirectoryCaller {
  readonly account: Account;
  /** What the token came from and what a session is bound to: the id of a personal access token, or of the grant. */
  readonly tokenId: string;
  /** The OAuth client; null for personal access tokens. */
  readonly clientId: string | null;
  readonly scopes: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<string>;
  /** Epoch milliseconds, or infinite. */
  readonly expiresAt: number;
}

/** The directory as the edge uses it: immutable, replaced as one reference. */
export class DirectoryState {
  readonly #byDigest = new Map<string, DirectoryCaller>();
  readonly #byTokenId = new Map<string, DirectoryCaller>();

  constructor(directory: directoryContracts.Directory) {
    const accounts = new Map(directory.callers.map((account) => [account.id, account]));
    for (const token of directory.tokens) {
      const account = accounts.get(token.callerId);
      if (account === undefined) continue;
      const caller: DirectoryCaller = {
        account,
        tokenId: token.id,
        clientId: null,
        scopes: new Set(token.scopes),
        capabilities: new Set(account.capabilities),
        expiresAt: token.expiresAt ?? Number.POSITIVE_INFINITY,
      };
      this.#byDigest.set(token.digest, caller);
      this.#byTokenId.set(token.id, caller);
    }
  }

  /** Who may use this token at `now`, if anyone. The map is keyed by digest, so no comparison leaks how much of a guess was right. */
  callerOf(token: string, now: number): DirectoryCaller | undefined {
    const caller = this.#byDigest.get(hash('sha256', token, 'base64url'));
    return caller !== undefined && caller.expiresAt > now ? caller : undefined;
  }

  /** Whether a token that was accepted before still is: for streams that outlive one request. */
  stillUsable(tokenId: string, now: number): boolean {
    const caller = this.#byTokenId.get(tokenId);
    return caller !== undefined && caller.expiresAt > now;
  }
}
