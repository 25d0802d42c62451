import type { RequestListener, Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Edge } from '../edge.js';
import { sendThrown } from './problem-filter.js';
import { recordAtEnd, recordChanges } from './record-changes.js';

const BODY_BYTES = 1024 * 1024;
/** The longest name of anything, unescaped: a client's, which may be an address. */
const PARAM_CHARS = 512;

/**
 * Fastify as the admin API wants it: bodies are JSON or Cedar text and nothing else (a form would be
 * something a foreign page can send), and what Fastify refuses before any route is a problem document
 * with a record too. Use it with Nest's `bodyParser: false`.
 */
export function adminAdapter(edge: Edge, serve: (listener: RequestListener) => Server): FastifyAdapter {
  const adapter = new FastifyAdapter({
    trustProxy: false,
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: PARAM_CHARS },
    serverFactory: serve,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      recordAtEnd(request, reply, edge);
      sendThrown(error, request, reply, edge);
    },
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  fastify.addContentTypeParser('text/cedar', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  recordChanges(fastify as never, edge);
  return adapter;
}
