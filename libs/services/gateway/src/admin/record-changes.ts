import type { FastifyInstance } from 'fastify';
import type { Edge } from '../edge.js';
import { CallDraft } from '../pipeline/record.js';
import type { AdminRequest } from './admin-guard.js';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Not ready is an answer to the question, not a refusal of it. */
const HEALTH = new Set(['/livez', '/readyz', '/startupz']);
const USER_AGENT_CHARS = 200;

/** What the routes leave on a request for its record. */
type Recorded = AdminRequest & { draft?: CallDraft; refusedWith?: string };

/** Writes one record for every change through the admin API and for everything refused, paths that lead nowhere included. */
export function recordChanges(fastify: FastifyInstance, edge: Edge): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const agent = request.headers['user-agent']?.slice(0, USER_AGENT_CHARS) ?? null;
    (request as Recorded).draft = new CallDraft(edge, request.ip, agent);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const recorded = request as Recorded;
    const isRefused = reply.statusCode >= 400 && !HEALTH.has(request.url);
    const isChange = isApi(request.url) && !READING.has(request.method);
    if (isRefused || isChange) write(recorded, reply.statusCode);
    else recorded.draft?.discard();
    done();
  });
}

function write({ draft, caller, refusedWith, method, routeOptions, params }: Recorded, status: number): void {
  if (draft === undefined) return;
  const { facts } = draft;
  facts.kind = 'admin';
  facts.method = `${method} ${routeOptions.url ?? 'unknown path'}`;
  facts.target = targetOf(params);
  if (caller !== undefined) {
    facts.caller = { ...facts.caller, kind: 'person', id: caller.person.id, name: caller.person.name, tokenId: caller.tokenId };
  }
  const outcome = status < 400 ? 'ok' : status >= 500 ? 'error' : 'refused';
  draft.close({ status: outcome, code: refusedWith ?? null, httpStatus: status });
}

function targetOf(params: unknown): string | null {
  const [first] = Object.values((params ?? {}) as Record<string, string>);
  return first === undefined ? null : first.slice(0, 200);
}

function isApi(url: string): boolean {
  return url.startsWith('/api/');
}
