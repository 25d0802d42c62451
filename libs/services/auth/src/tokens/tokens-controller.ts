import { Serves } from '@gatehouse/bus';
import { authContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Tokens, type NewToken, type Revocation } from './tokens.js';

/** Answers for personal access tokens. */
@Controller()
export class TokensController {
  constructor(private readonly tokens: Tokens) {}

  /** Makes a token, shown once. */
  @Serves(authContracts.createToken)
  create({ actor, edgeKey, ...asked }: NewToken & { actor: Actor; edgeKey: string }): Promise<{ token: authContracts.TokenSummary; sealed: string }> {
    return this.tokens.create(actor, asked, edgeKey);
  }

  /** Tokens of one person, or of all. */
  @Serves(authContracts.listTokens)
  async list({ callerId }: { callerId: string | null }): Promise<{ items: authContracts.TokenSummary[] }> {
    return { items: await this.tokens.list(callerId) };
  }

  /** Revokes a token. */
  @Serves(authContracts.revokeToken)
  revoke({ actor, ...which }: Revocation & { actor: Actor }): Promise<{ token: authContracts.TokenSummary; directory: SnapshotVersion }> {
    return this.tokens.revoke(actor, which);
  }
}
