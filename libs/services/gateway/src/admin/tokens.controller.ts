import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, authContracts, tokenId } from '@gatehouse/contracts';
import { openSealed, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { parsed } from './parsed.js';
import { SnapshotWaits } from './snapshot-waits.js';

/** `/api/v1/tokens`: personal access tokens; one's own for everybody, all of them with `tokens.manage`. */
@Controller('api/v1/tokens')
export class TokensController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EDGE) private readonly edge: Edge,
    private readonly waits: SnapshotWaits,
  ) {}

  @Get()
  @Needs('signed-in')
  async list(@Req() request: AdminRequest) {
    const { items } = await this.bus.request(authContracts.listTokens, { callerId: restriction(request) });
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('signed-in')
  async create(@Body() body: unknown, @Req() request: AdminRequest) {
    const { callerId, ...wanted } = parsed(api.tokenBody, body);
    const actor = actorOf(request);
    const owner = callerId ?? actor.callerId;
    if (owner !== actor.callerId && restriction(request) !== null) throw new Refusal('capability_missing', { capability: 'tokens.manage' });
    refuseMoreThanHeld(wanted.scopes, request);
    const edgeKey = this.edge.keys.pair.publicKey;
    const { token, sealed } = await this.bus.request(authContracts.createToken, { actor, callerId: owner, ...wanted, edgeKey });
    const opened = openSealed(this.edge.keys.pair, sealed, authContracts.tokenContext(token.id));
    return { ...token, token: opened.toString('utf8') };
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @Needs('signed-in')
  async revoke(@Param('id') id: string, @Req() request: AdminRequest) {
    if (!tokenId.safeParse(id).success) throw new Refusal('not_found');
    const revoked = await this.bus.request(authContracts.revokeToken, { actor: actorOf(request), tokenId: id, ownedBy: restriction(request) });
    await this.waits.directoryReached(revoked.directory);
    return revoked.token;
  }
}

/** Null when the caller may see everybody's tokens, else the caller's own id. */
function restriction({ caller }: AdminRequest): string | null {
  return caller?.capabilities.has('tokens.manage') === true ? null : (caller?.account.id ?? '');
}

// Nobody can grant what they do not have: a narrow token must not make a wider one.
function refuseMoreThanHeld(scopes: readonly string[], { caller }: AdminRequest): void {
  const missing = scopes.find((scope) => caller?.scopes.has(scope) !== true);
  if (missing !== undefined) throw new Refusal('insufficient_scope', { scope: missing });
}
