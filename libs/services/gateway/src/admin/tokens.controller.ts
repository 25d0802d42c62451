import { Body, Controller, Get, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, authContracts } from '@gatehouse/contracts';
import { openSealed, Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';
import { ownOrAll } from './own-or-all.js';
import { PATH } from './path-parameters.js';
import { SnapshotWaits } from './snapshot-waits.js';

const { createToken, listTokens, revokeToken, tokenSummary } = authContracts;

/** `/api/v1/tokens`: personal access tokens; one's own for everybody, all of them with `tokens.manage`. */
@Controller('api/v1/tokens')
@Needs('signed-in')
export class TokensController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EDGE) private readonly edge: Edge,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Operation({ summary: "One's own tokens, or everybody's with tokens.manage", answer: api.tokenPage })
  async list(@Req() request: AdminRequest) {
    const { items } = await this.bus.request(listTokens, { callerId: ownOrAll(request, 'tokens.manage') });
    return { items, nextCursor: null };
  }

  @Post()
  @Operation({
    summary: 'Make a token; another caller needs tokens.manage, and no scope may be given that the asking token lacks',
    body: api.tokenBody,
    answer: api.createdToken,
    status: 201,
    errors: createToken.errors,
  })
  async create(@Body() { callerId, ...wanted }: z.output<typeof api.tokenBody>, @Req() request: AdminRequest) {
    const actor = actorOf(request);
    const owner = callerId ?? actor.callerId;
    if (owner !== actor.callerId && ownOrAll(request, 'tokens.manage') !== null) throw new Refusal('capability_missing', { capability: 'tokens.manage' });
    refuseMoreThanHeld(wanted.scopes, request);
    const edgeKey = this.edge.keys.pair.publicKey;
    const { token, sealed } = await this.bus.request(createToken, { actor, callerId: owner, ...wanted, edgeKey });
    const opened = openSealed(this.edge.keys.pair, sealed, authContracts.tokenContext(token.id));
    return { ...token, token: opened.toString('utf8') };
  }

  @Post(':id/revoke')
  @Operation({ summary: 'Revoke a token: it is refused at once', path: { id: PATH.token }, answer: tokenSummary, errors: revokeToken.errors })
  async revoke(@Param('id') id: string, @Req() request: AdminRequest) {
    const ownedBy = ownOrAll(request, 'tokens.manage');
    const revoked = await this.bus.request(revokeToken, { actor: actorOf(request), tokenId: id, ownedBy });
    await this.waits.directoryReached(revoked.directory);
    return revoked.token;
  }
}

/** What stands for itself; the others are parts of administration, which every token that comes here has, and auth asks for their capability. */
const OWN_SCOPES: readonly string[] = ['mcp:access', 'admin'];

// Nobody can grant what they do not have: a narrow token must not make a wider one. Who signed in and
// agreed to administer is not narrow: the two scopes are for two resources, and no sign-in gives both.
function refuseMoreThanHeld(scopes: readonly string[], { caller }: AdminRequest): void {
  const isSignedIn = caller?.clientId != null && caller.account.kind === 'person';
  const missing = scopes.find((scope) => OWN_SCOPES.includes(scope) && !isSignedIn && caller?.scopes.has(scope) !== true);
  if (missing !== undefined) throw new Refusal('insufficient_scope', { scope: missing });
}
