import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Fault, Refusal } from '@gatehouse/kernel';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { OPERATION, type OperationShape } from './operation.js';
import { parsed } from './parsed.js';

/** Nothing, or an object without members: what no route reads must not look as if it had been heeded. */
const NO_BODY = z.strictObject({}).nullish();

/**
 * Checks path, query and body by what the route declares, after the guard and before the method, which
 * gets what the schemas made of them. Refuses with `bad_request` by JSON pointers, and with what the
 * path parameter says where a name cannot be one.
 */
@Injectable()
export class ReadOperation implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const operation = this.reflector.get<OperationShape | undefined>(OPERATION, context.getHandler());
    if (operation === undefined) throw new Fault('a route without @Operation was asked');
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    refuseMissing(operation, request.params as Record<string, string>);
    if (operation.query !== undefined) request.query = parsed(operation.query, request.query);
    request.body = parsed(operation.body ?? NO_BODY, bodyOf(operation, request));
    return next.handle();
  }
}

function refuseMissing({ path = {} }: OperationShape, given: Record<string, string>): void {
  for (const [name, { schema, missing }] of Object.entries(path)) {
    if (!schema.safeParse(given[name]).success) throw new Refusal(missing);
  }
}

function bodyOf({ cedar = false }: OperationShape, { body }: FastifyRequest): unknown {
  return cedar && typeof body === 'string' ? { text: body } : body;
}
