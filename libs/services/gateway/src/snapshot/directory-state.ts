import type { directoryContracts } from '@gatehouse/contracts';
import { IdentityIndex } from '../identity/identity-index.js';
import type { VerifiedToken } from '../tokens/access-token.js';
import { issuerTrust, ownTrust, type Trust } from './trusted-keys.js';

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
  /** When it ends to the millisecond, leeway included; epoch milliseconds, or infinite. */
  readonly expiresAt: number;
  /** What an access token said; null for personal access tokens, which are looked up. */
  readonly accessToken: VerifiedToken | null;
}

/** The directory as the edge uses it: immutable, replaced as one reference. */
export class DirectoryState {
  readonly #byDigest = new Map<string, DirectoryCaller>();
  readonly #byTokenId = new Map<string, DirectoryCaller>();
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #capabilities = new Map<string, ReadonlySet<string>>();
  readonly #denied: ReadonlySet<string>;
  readonly #issuers: ReadonlyMap<string, Trust>;
  /** What our own access tokens verify with. */
  readonly own: Trust;
  /** Addresses of the trusted issuers beside us. */
  readonly issuers: readonly string[];
  /** Whose accounts there are at which server. */
  readonly identities: IdentityIndex;

  constructor(directory: directoryContracts.Directory) {
    this.#accounts = new Map(directory.callers.map((account) => [account.id, account]));
    this.#denied = new Set(directory.denied.map(({ id }) => id));
    this.own = ownTrust(directory.keys);
    this.issuers = directory.issuers.map(({ issuer }) => issuer);
    this.#issuers = new Map(directory.issuers.map((issuer) => [issuer.issuer, issuerTrust(issuer)]));
    this.identities = new IdentityIndex(directory.identities);
    for (const token of directory.tokens) this.#addToken(token);
  }

  #addToken({ id, digest, callerId, scopes, expiresAt }: directoryContracts.Directory['tokens'][number]): void {
    const account = this.#accounts.get(callerId);
    if (account === undefined) return;
    const made: DirectoryCaller = {
      ...{ account, tokenId: id, clientId: null, accessToken: null, scopes: new Set(scopes) },
      capabilities: this.capabilitiesOf(account),
      expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    };
    this.#byDigest.set(digest, made);
    this.#byTokenId.set(id, made);
  }

  /**
   * Who may use the personal access token with this digest (SHA-256, base64url) at `now`, if anyone. The
   * map is keyed by digest, so no comparison leaks how much of a guess was right.
   */
  callerOf(digest: string, now: number): DirectoryCaller | undefined {
    const caller = this.#byDigest.get(digest);
    return caller !== undefined && caller.expiresAt > now ? caller : undefined;
  }

  /** The same by the token's id: for what outlives one request. */
  callerOfTokenId(tokenId: string, now: number): DirectoryCaller | undefined {
    const caller = this.#byTokenId.get(tokenId);
    return caller !== undefined && caller.expiresAt > now ? caller : undefined;
  }

  /** The account with this id, while it may call at all. */
  account(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  /** What an account may do in the admin API. */
  capabilitiesOf({ id, capabilities }: Account): ReadonlySet<string> {
    const held = this.#capabilities.get(id);
    if (held !== undefined) return held;
    const made = new Set(capabilities);
    this.#capabilities.set(id, made);
    return made;
  }

  /** Whether a grant or a single access token was ended before its time. */
  isDenied(id: string): boolean {
    return this.#denied.has(id);
  }

  /** What is trusted of an issuer of the company's, by its exact address. */
  issuer(address: string): Trust | undefined {
    return this.#issuers.get(address);
  }
}
