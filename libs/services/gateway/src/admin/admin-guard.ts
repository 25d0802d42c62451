import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Actor } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { FastifyRequest } from 'fastify';
import type { Edge } from '../edge.js';
import { refuseRepeatedHeaders } from '../http/request-head.js';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import { presentedToken } from '../tokens/presented-token.js';
import { NEEDS, type Need } from './needs.js';

/** DI token of the edge. */
export const EDGE = Symbol('EDGE');

/** The scope a token needs for the admin API. */
export const ADMIN_SCOPE = 'admin';

/** A request whose caller the guard found. */
export type AdminRequest = FastifyRequest & { caller?: DirectoryCaller };

/**
 * The one guard of the admin API. A guard and not middleware: middleware has been skipped by HEAD and
 * by trailing slashes (CVE-2026-33011), and a guard sits on the handler itself.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    @Inject(EDGE) private readonly edge: Edge,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AdminRequest>();
    const need = this.reflector.getAllAndOverride<Need | undefined>(NEEDS, [context.getHandler(), context.getClass()]);
    refuseRepeatedHeaders(request.raw.rawHeaders);
    this.edge.admission.check(request.headers.host, request.headers.origin);
    if (need === 'nobody') return true;
    const caller = await this.#caller(request);
    request.caller = caller;
    if (need === undefined) throw new Refusal('capability_missing', { capability: 'none declared' });
    if (!caller.scopes.has(ADMIN_SCOPE)) throw new Refusal('insufficient_scope', { scope: ADMIN_SCOPE });
    if (need !== 'signed-in' && !caller.capabilities.has(need)) throw new Refusal('capability_missing', { capability: need });
    return true;
  }

  #caller({ raw, method }: AdminRequest): DirectoryCaller | Promise<DirectoryCaller> {
    const { issuer, api } = this.edge.resources;
    const address = issuer + (raw.url ?? '/').split('?', 1)[0]!;
    return this.edge.tokens.callerOf(presentedToken(raw), { resource: api, method, address });
  }
}

/** Who asks, as services record it. Refuses with `unauthenticated` on a route that nobody in particular may use. */
export function actorOf(request: AdminRequest): Actor {
  const { caller } = request;
  if (caller === undefined) throw new Refusal('unauthenticated', { tokenSent: false });
  return { callerId: caller.account.id, tokenId: caller.tokenId };
}
