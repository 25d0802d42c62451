import { hash } from 'node:crypto';
import type { directoryContracts } from '@gatehouse/contracts';

/** A person behind a usable token, prepared once per directory so that a call looks up and compares only. */
export interface DirectoryCaller {
  readonly person: directoryContracts.Directory['people'][number];
  readonly tokenId: string;
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
    const people = new Map(directory.people.map((person) => [person.id, person]));
    for (const token of directory.tokens) {
      const person = people.get(token.personId);
      if (person === undefined) continue;
      const caller: DirectoryCaller = {
        person,
        tokenId: token.id,
        scopes: new Set(token.scopes),
        capabilities: new Set(person.capabilities),
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
