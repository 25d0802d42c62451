import { hash } from 'node:crypto';
import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import type { JsonObject } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Needs } from '../needs.js';
import { Operation } from '../operation.js';

/** DI token of the OpenAPI document. */
export const OPENAPI = Symbol('OPENAPI');

/** Long enough to spare a console the second fetch, short enough that an upgrade is seen. */
const CACHE = 'public, max-age=300';

/** `/api/openapi.json`: what this API is, for everybody. */
@Controller('api/openapi.json')
export class OpenapiController {
  readonly #text: string;
  readonly #etag: string;

  constructor(@Inject(OPENAPI) document: JsonObject) {
    this.#text = JSON.stringify(document);
    this.#etag = `"${hash('sha256', this.#text, 'base64url')}"`;
  }

  @Get()
  @Needs('nobody')
  @Operation({ summary: 'This document', answer: z.unknown() })
  show(@Res({ passthrough: true }) reply: FastifyReply, @Headers('if-none-match') known?: string): string {
    void reply.header('cache-control', CACHE).header('etag', this.#etag);
    if (known === this.#etag) void reply.status(304);
    else void reply.header('content-type', 'application/json; charset=utf-8');
    return known === this.#etag ? '' : this.#text;
  }
}
