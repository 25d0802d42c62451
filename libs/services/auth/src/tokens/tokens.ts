import { authContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { newId, Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { isActive } from '../people/person-rows.js';
import { refuseStronger } from '../roles/refuse-more-than-held.js';
import { refuseTokenBeyond } from './refuse-token-beyond.js';
import { sealToEdge } from './seal-to-edge.js';
import { findToken, insertToken, markRevoked, tokensOf } from './token-rows.js';
import { newTokenText, tokenDigest } from './token-text.js';

type TokenSummary = authContracts.TokenSummary;

/** What a token is asked for with. */
export type NewToken = Pick<TokenSummary, 'callerId' | 'name' | 'scopes' | 'expiresAt'>;

/** Which token to revoke; `ownedBy` restricts it to that caller's. */
export interface Revocation {
  tokenId: string;
  ownedBy: string | null;
}

/** What `Tokens` works with. */
export interface TokensParts {
  db: Database;
  changes: DirectoryChanges;
  log: Logger;
  clock?: Clock;
}

/** Personal access tokens; only their digests are kept. */
export class Tokens {
  private readonly clock: Clock;

  constructor(private readonly parts: TokensParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Tokens of one caller, or of all (null), the dead ones too. */
  list(callerId: string | null): Promise<TokenSummary[]> {
    return tokensOf(this.parts.db, callerId);
  }

  /**
   * Makes a token, sealed to the asking edge under `tokenContext`. Refuses with `not_found` for an
   * unknown caller, with `bad_request` for a disabled one, an expiry that has passed, or an edge key
   * that is none, and with `capability_missing` as `refuseTokenBeyond` says.
   */
  async create(by: Actor, asked: NewToken, edgeKey: string): Promise<{ token: TokenSummary; sealed: string }> {
    const token = this.summary(asked);
    const text = newTokenText();
    try {
      const sealed = sealToEdge(edgeKey, text, authContracts.tokenContext(token.id));
      await this.insert(by, token, tokenDigest(text));
      this.parts.log.info({ actorId: by.callerId, tokenId: token.id, callerId: token.callerId }, 'token created');
      return { token, sealed };
    } finally {
      text.fill(0);
    }
  }

  /**
   * Revokes a token; twice is fine. An unknown token and someone else's are both `not_found`, so
   * that ids cannot be probed; who holds more than the actor loses no token by them
   * (`capability_missing`). The reply names the directory version from which it holds.
   */
  async revoke(by: Actor, { tokenId, ownedBy }: Revocation): Promise<{ token: TokenSummary; directory: SnapshotVersion }> {
    const { result, directory, changed } = await this.parts.changes.apply(async (tx) => {
      const token = await findToken(tx, tokenId, ownedBy);
      if (token === undefined) throw new Refusal('not_found');
      if (token.callerId !== by.callerId) await refuseStronger(tx, by, token.callerId);
      if (token.revokedAt !== null) return { result: token, changed: false };
      const revokedAt = this.clock.now();
      await markRevoked(tx, tokenId, revokedAt);
      return { result: { ...token, revokedAt }, changed: true };
    });
    if (changed) this.parts.log.info({ actorId: by.callerId, tokenId }, 'token revoked');
    return { token: result, directory };
  }

  private summary({ callerId, name, scopes, expiresAt }: NewToken): TokenSummary {
    const createdAt = this.clock.now();
    if (expiresAt !== null && expiresAt <= createdAt) throw new Refusal('bad_request', { field: 'expiresAt', problem: 'has passed' });
    const id = newId('token', this.clock);
    return { id, callerId, name, scopes: [...new Set(scopes)], createdAt, expiresAt, revokedAt: null };
  }

  private async insert(by: Actor, token: TokenSummary, digest: string): Promise<void> {
    await this.parts.changes.apply(async (tx) => {
      const active = await isActive(tx, token.callerId);
      if (active === undefined) throw new Refusal('not_found');
      if (!active) throw new Refusal('bad_request', { field: 'callerId', problem: 'is disabled' });
      await refuseTokenBeyond(tx, by, token);
      await insertToken(tx, token, digest);
      return { result: token, changed: true };
    });
  }
}
