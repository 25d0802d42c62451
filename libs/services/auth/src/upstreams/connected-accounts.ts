import type { Actor, upstreamContracts, vaultContracts } from '@gatehouse/contracts';
import type { UpstreamTokens } from './upstream-tokens.js';

type Owner = vaultContracts.CredentialOwner;

/** A header line that was sealed to the vault's entry key under `entryContext`. */
export interface SealedLine {
  name: string;
  sealed: string;
  lastFour: string | null;
}

/** What becomes of a connected account: it is stored as an identity. */
export interface ConnectedAccounts {
  /** Stores tokens; `identityId` is the one they replace. */
  connected(of: { upstream: upstreamContracts.UpstreamServer; owner: Owner; name: string | null; identityId: string | null; clientRef: string; tokens: UpstreamTokens; actor: Actor }): Promise<{ identity: { id: string } }>;
  /** Stores headers under a new id. */
  create(of: { actor: Actor; identityId: string; serverId: string; owner: Owner; name: string; headers: readonly SealedLine[] }): Promise<{ identity: { id: string } }>;
  /** Puts headers in place of those an identity holds. */
  replaceHeaders(of: { actor: Actor; identityId: string; ownedBy: string | null; headers: readonly SealedLine[] }): Promise<{ identity: { id: string } }>;
  /** The scopes that an identity has and those that a server demanded of it. */
  scopesToAsk(identityId: string): Promise<string[]>;
  /** The identities of one owner at one server that headers make, by name. */
  list(of: { owner: Owner | null; server: string | null }): Promise<readonly { id: string; owner: Owner; name: string; method: string; status: string }[]>;
}
