import { Fault, Refusal } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Rate, RateLimits } from '../../authorization-server/rate-limits.js';
import { RECORD_HEADER, recordHeader } from '../../http/outcome-record.js';
import { byId, listResponse, resourceTypes, schemaResources, serviceProviderConfig } from '../discovery/discovery.js';
import { ScimGroups } from '../groups/scim-groups.js';
import { ScimUsers, type ScimArea } from '../users/scim-users.js';
import { readBodies } from './scim-bodies.js';
import { errorOf, sendError, sendScim } from './scim-answers.js';
import { scimCaller, type ScimCaller } from './scim-caller.js';
import { PAGE } from './scim-query.js';
import { registerResources } from './scim-routes.js';

/** What SCIM is made of. */
export interface ScimParts extends Omit<ScimArea, 'base'> {
  /** Public origin of Gatehouse. */
  origin: string;
  log: Logger;
  limits: RateLimits;
}

/** Where SCIM is reached. */
export const SCIM_PREFIX = '/scim/v2';

/** Per token: Microsoft Entra ID asks for 25 requests a second. Per address, before a token is looked up: a brake on guessing. */
const PER_TOKEN: Rate = { burst: 1_000, perMinute: 3_000 };
const PER_ADDRESS: Rate = { burst: 2_000, perMinute: 6_000 };

const callers = new WeakMap<FastifyRequest, ScimCaller>();

/**
 * Registers SCIM 2.0 (RFC 7643, 7644): users, groups and what is told about them. Everything needs a
 * token with the scope `scim`, also what the RFC allows to be open; no body is read before.
 */
export function registerScim(app: FastifyInstance, parts: ScimParts): void {
  const base = `${parts.origin}${SCIM_PREFIX}`;
  void app.register(
    (scim, _options, done) => {
      readBodies(scim);
      scim.addHook('onRequest', (request, reply) => authenticate(parts, request, reply));
      scim.setErrorHandler((thrown: unknown, request, reply) => answerError(parts, thrown, request, reply));
      scim.setNotFoundHandler((request, reply) => answerError(parts, new Refusal('not_found'), request, reply));
      registerDiscovery(scim, base);
      const area: ScimArea = { db: parts.db, changes: parts.changes, clock: parts.clock, base };
      const changed = (request: FastifyRequest, reply: FastifyReply, target: string): void => noteChange(parts.log, request, reply, target);
      registerResources(scim, { path: '/Users', resources: new ScimUsers(area), patchedIsShown: true, changed });
      registerResources(scim, { path: '/Groups', resources: new ScimGroups(area), patchedIsShown: false, changed });
      done();
    },
    { prefix: SCIM_PREFIX },
  );
}

async function authenticate({ db, clock, limits }: ScimParts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  brake(limits.take(`scim ${request.ip}`, PER_ADDRESS), reply);
  const caller = await scimCaller(db, request.headers.authorization, clock.now());
  callers.set(request, caller);
  brake(limits.take(`scim ${caller.tokenId}`, PER_TOKEN), reply);
}

function brake(seconds: number, reply: FastifyReply): void {
  if (seconds === 0) return;
  void reply.header('retry-after', String(seconds));
  throw new Refusal('rate_limited');
}

function registerDiscovery(scim: FastifyInstance, base: string): void {
  const lists = [
    { path: '/ResourceTypes', all: resourceTypes(base) },
    { path: '/Schemas', all: schemaResources(base) },
  ];
  scim.get('/ServiceProviderConfig', (_request, reply) => sendScim(reply, 200, serviceProviderConfig(base, PAGE.most)));
  for (const { path, all } of lists) {
    scim.get(path, (_request, reply) => sendScim(reply, 200, listResponse(all, all.length, 1)));
    scim.get<{ Params: { id: string } }>(`${path}/:id`, (request, reply) => sendScim(reply, 200, byId(all, request.params.id)));
  }
}

function answerError({ log }: ScimParts, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = errorOf(thrown);
  if (error instanceof Fault) log.error({ faultId: error.id, err: error.cause ?? error }, error.message);
  const { callerId = null, name: callerName = null } = callers.get(request) ?? {};
  const target = request.url.slice(SCIM_PREFIX.length + 1).split('?', 1)[0]!.slice(0, 200);
  void reply.header(RECORD_HEADER, recordHeader({ kind: 'scim', code: error.code, callerId, callerName, target }));
  return sendError(reply, error);
}

function noteChange(log: Logger, request: FastifyRequest, reply: FastifyReply, target: string): void {
  const { callerId, tokenId, name } = callers.get(request)!;
  log.info({ actorId: callerId, tokenId, method: request.method, target }, 'changed by SCIM');
  void reply.header(RECORD_HEADER, recordHeader({ kind: 'scim', code: null, callerId, callerName: name, target }));
}
