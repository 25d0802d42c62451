import { Refusal, type JsonObject } from '@gatehouse/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { listResponse } from '../discovery/discovery.js';
import { readOperations, type Operation } from '../resource/patch-operations.js';
import type { Projection } from '../resource/projection.js';
import type { ListQuery, Listing } from '../scim-list.js';
import { sendResource, sendScim } from './scim-answers.js';
import { objectIn } from './scim-bodies.js';
import { listQuery, projectionIn } from './scim-query.js';

/** Resources of one kind. */
export interface Resources {
  list(query: ListQuery, shape: Projection): Promise<Listing>;
  read(id: string, shape: Projection): Promise<JsonObject>;
  create(body: JsonObject): Promise<string>;
  replace(id: string, body: JsonObject, ifMatch: string | undefined): Promise<void>;
  patch(id: string, operations: readonly Operation[], ifMatch: string | undefined): Promise<void>;
  remove(id: string, ifMatch: string | undefined): Promise<void>;
}

/** How resources of one kind are reached. */
export interface ResourceRoutes {
  path: '/Users' | '/Groups';
  resources: Resources;
  /** Whether a PATCH answers with the resource; groups may have too many members for that, and directories expect 204. */
  patchedIsShown: boolean;
  /** Called with what was changed, before the answer. */
  changed: (request: FastifyRequest, reply: FastifyReply, target: string) => void;
}

interface One {
  Params: { id: string };
}

const ID = /^[\w.:-]{1,100}$/;

// Ids are ours: what cannot be one is not looked for.
function idOf({ params }: FastifyRequest<One>): string {
  if (!ID.test(params.id)) throw new Refusal('not_found');
  return params.id;
}

/** Registers the operations on one kind of resource (RFC 7644 section 3). */
export function registerResources(scim: FastifyInstance, routes: ResourceRoutes): void {
  const { path, resources, changed } = routes;
  const targetOf = (id: string): string => `${path.slice(1)}/${id}`;
  scim.get(path, async (request, reply) => {
    const query = listQuery(request.query);
    const { total, resources: page } = await resources.list(query, projectionIn(request.query));
    return sendScim(reply, 200, listResponse(page, total, query.startIndex));
  });
  scim.get<One>(`${path}/:id`, async (request, reply) => sendResource(reply, 200, await resources.read(idOf(request), projectionIn(request.query))));
  scim.post(path, async (request, reply) => {
    const shape = projectionIn(request.query);
    const id = await resources.create(objectIn(request.body));
    changed(request, reply, targetOf(id));
    return sendResource(reply, 201, await resources.read(id, shape));
  });
  scim.delete<One>(`${path}/:id`, async (request, reply) => {
    const id = idOf(request);
    await resources.remove(id, request.headers['if-match']);
    changed(request, reply, targetOf(id));
    return reply.status(204).send();
  });
  registerUpdates(scim, routes, targetOf);
}

function registerUpdates(scim: FastifyInstance, { path, resources, patchedIsShown, changed }: ResourceRoutes, targetOf: (id: string) => string): void {
  scim.put<One>(`${path}/:id`, async (request, reply) => {
    const id = idOf(request);
    const shape = projectionIn(request.query);
    await resources.replace(id, objectIn(request.body), request.headers['if-match']);
    changed(request, reply, targetOf(id));
    return sendResource(reply, 200, await resources.read(id, shape));
  });
  scim.patch<One>(`${path}/:id`, async (request, reply) => {
    const id = idOf(request);
    const shape = projectionIn(request.query);
    await resources.patch(id, readOperations(objectIn(request.body)), request.headers['if-match']);
    changed(request, reply, targetOf(id));
    if (!patchedIsShown && shape.only === undefined) return reply.status(204).send();
    return sendResource(reply, 200, await resources.read(id, shape));
  });
}
