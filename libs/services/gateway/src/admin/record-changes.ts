import { serverName } from '@gatehouse/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Edge } from '../edge.js';
import { CallDraft } from '../pipeline/record.js';
import type { AdminRequest } from './admin-guard.js';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Not ready is an answer to the question, not a refusal of it. */
const HEALTH = new Set(['/livez', '/readyz', '/startupz']);
const USER_AGENT_CHARS = 200;

/** What the routes leave on a request for its record. */
type Recorded = AdminRequest & { refusedWith?: string };

/** How a request ended; no status when the client left before its answer was out. */
interface Ending {
  status: number | null;
  code: string | null;
}

/**
 * Writes one record for every change through the admin API and for everything refused, paths that lead
 * nowhere included. It hangs on the socket's end and not on Fastify's, which never comes when a client
 * leaves early: a change must not go unrecorded because who made it hung up.
 */
export function recordChanges(fastify: FastifyInstance, edge: Edge): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    recordAtEnd(request, reply, edge);
    done();
  });
}

/** The same for one request, for what Fastify answers before any hook runs. */
export function recordAtEnd(request: FastifyRequest, reply: FastifyReply, edge: Edge): void {
  const agent = request.headers['user-agent']?.slice(0, USER_AGENT_CHARS) ?? null;
  const draft = new CallDraft(edge, request.ip, agent);
  reply.raw.once('close', () => {
    const ending = endingOf(request, reply);
    if (matters(request, ending)) write(request, draft, ending);
    else draft.discard();
  });
}

function endingOf(request: Recorded, { raw }: FastifyReply): Ending {
  const code = request.refusedWith ?? null;
  if (raw.writableFinished) return { status: raw.statusCode, code };
  return { status: null, code: code ?? (request.raw.complete ? null : 'bad_request') };
}

function matters({ url, method }: Recorded, { status, code }: Ending): boolean {
  const isRefused = (code !== null || (status ?? 0) >= 400) && !HEALTH.has(url);
  return isRefused || (isApi(url) && !READING.has(method));
}

function write({ caller, method, routeOptions, params, body }: Recorded, draft: CallDraft, { status, code }: Ending): void {
  const { facts } = draft;
  facts.kind = 'admin';
  facts.method = `${method} ${routeOptions?.url ?? 'unknown path'}`;
  facts.target = targetOf(params, body);
  if (caller !== undefined) {
    if (caller.clientId !== null) facts.client = { ...facts.client, id: caller.clientId };
    facts.caller = { ...facts.caller, kind: caller.account.kind, id: caller.account.id, name: caller.account.name, tokenId: caller.tokenId };
  }
  draft.close({ status: outcomeOf(status), code, httpStatus: status });
}

function outcomeOf(status: number | null): 'ok' | 'error' | 'refused' | 'cancelled' {
  if (status === null) return 'cancelled';
  if (status < 400) return 'ok';
  return status >= 500 ? 'error' : 'refused';
}

/** What the path names, else the server that a body names (`POST /identities`); nothing else of a body is looked at. */
function targetOf(params: unknown, body: unknown): string | null {
  const [first = serverIn(body)] = Object.values((params ?? {}) as Record<string, string>);
  return first === undefined ? null : first.slice(0, 200);
}

function serverIn(body: unknown): string | undefined {
  return serverName.safeParse((body as { server?: unknown } | null | undefined)?.server).data;
}

function isApi(url: string): boolean {
  return url.startsWith('/api/');
}
