import { Serves } from '@gatehouse/bus';
import { directoryContracts, signInContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import type { IssuerSettings } from './token-issuer-rows.js';
import { TokenIssuers } from './token-issuers.js';

/** Answers for trusted token issuers. */
@Controller()
export class TokenIssuersController {
  constructor(private readonly issuers: TokenIssuers) {}

  /** All of them. */
  @Serves(signInContracts.listTokenIssuers)
  list(): Promise<{ items: signInContracts.TokenIssuer[] }> {
    return this.issuers.list();
  }

  /** Trusts one. */
  @Serves(signInContracts.putTokenIssuer)
  put(asked: IssuerSettings & { actor: Actor; name: string }): Promise<{ tokenIssuer: signInContracts.TokenIssuer; directory: SnapshotVersion }> {
    return this.issuers.put(asked);
  }

  /** Stops trusting one. */
  @Serves(signInContracts.deleteTokenIssuer)
  delete(asked: { actor: Actor; name: string }): Promise<{ directory: SnapshotVersion }> {
    return this.issuers.delete(asked);
  }

  /** A subject that an edge met for the first time. */
  @Serves(directoryContracts.linkCaller)
  link(arriving: z.output<typeof directoryContracts.linkCaller.request>): Promise<SnapshotVersion> {
    return this.issuers.link(arriving);
  }

  /** A key that nobody knows. */
  @Serves(directoryContracts.refreshIssuerKeys)
  refresh({ issuer }: { issuer: string }): Promise<SnapshotVersion> {
    return this.issuers.refresh(issuer);
  }
}
