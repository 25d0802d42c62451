import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { asRefusalOrFault, errorRow, Fault, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Edge } from '../edge.js';
import { challengesOf } from '../tokens/challenge.js';
import { ADMIN_SCOPE, EDGE } from './admin-guard.js';

const DOCS = 'https://gatehouse.dev/errors/';

/** Turns whatever a route throws into an RFC 9457 problem document with a code of the error table. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(EDGE) private readonly edge: Edge) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    sendThrown(thrown, request, reply, this.edge);
  }
}

/** Answers whatever was thrown; what is no refusal is logged under the id that the caller is told. */
export function sendThrown(thrown: unknown, request: FastifyRequest, reply: FastifyReply, edge: Edge): void {
  const error = asRefusalOrFault(asRefusal(thrown));
  if (error instanceof Fault) edge.log.error({ faultId: error.id, err: error.cause ?? error }, error.message);
  if (isChallenged(error)) void reply.header('www-authenticate', challengesIn(error, edge));
  sendProblem(error, request, reply);
}

function isChallenged(error: Refusal | Fault): error is Refusal {
  return error.code === 'unauthenticated' || error.code === 'insufficient_scope';
}

function challengesIn(error: Refusal, { resources }: Edge): string[] {
  const { scope = ADMIN_SCOPE } = error.details;
  return challengesOf(error, { scope: String(scope), metadata: resources.metadataOf(resources.api) });
}

/** Writes the problem document of a refusal or a fault. */
function sendProblem(error: Refusal | Fault, request: FastifyRequest, reply: FastifyReply): void {
  const row = errorRow(error.code);
  const details: JsonObject = error instanceof Fault ? { faultId: error.id } : error.details;
  (request as { refusedWith?: string }).refusedWith = error.code;
  if (row.retryable && row.status === 503) void reply.header('retry-after', '1');
  void reply
    .status(row.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify({ ...details, type: DOCS + error.code, title: row.sentence, status: row.status, code: error.code, instance: request.url.split('?')[0] }));
}

// Nest and Fastify have exceptions of their own for what never reaches a route.
function asRefusal(thrown: unknown): unknown {
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  if (status === 404) return new Refusal('not_found');
  if (status === 413) return new Refusal('too_large');
  if (status === 415) return new Refusal('unsupported_media_type');
  if (status !== undefined && status >= 400 && status < 500) return new Refusal('bad_request');
  return thrown;
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof Refusal || thrown instanceof Fault) return undefined;
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
