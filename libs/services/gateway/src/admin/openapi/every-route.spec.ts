import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { startRecordingServer, type Upstream } from '@gatehouse/testing';
import { EdgeStage } from '../../edge-stage.conformance.js';
import { Neighbours } from '../../neighbours.conformance.js';
import { ADMIN_CONTROLLERS } from '../admin-controllers.js';
import { AnsweringServices } from '../answering-services.conformance.js';
import { closedObjects, sampleOf, withMember } from '../json-samples.conformance.js';
import { declaredRoutes } from './declared-routes.js';

/** A request that reaches the method behind a route, made from the document alone. */
interface Trial {
  id: string;
  method: string;
  path: string;
  need: string;
  status: number;
  schema: any;
  body: any;
}

const { CAPABILITIES, ROLES } = authContracts;
const ADMIN = ['mcp:access', 'admin'];

let neighbours: Neighbours;
let services: AnsweringServices;
let stage: EdgeStage;
let registry: Upstream;
let openapi: any;
let trials: Trial[];
let administrator: string;

function trialOf(method: string, path: string, operation: any): Trial {
  const examples = new Map<string, string>((operation.parameters ?? []).map((each: any) => [each.name, each.example]));
  const schema = operation.requestBody?.content['application/json'].schema;
  const status = Number(Object.keys(operation.responses).find((each) => each.startsWith('2')));
  const body = schema === undefined ? undefined : sampleOf(schema, openapi);
  // A token for somebody else asks for more than one's own does.
  delete body?.callerId;
  // A server is named by its address or by the catalogue, not by both.
  delete body?.catalogue;
  if (['servers.add', 'servers.change'].includes(operation.operationId)) Object.assign(body, { url: 'https://a.example/mcp', identityMode: 'none' });
  // A client has a secret or a key, and that a key.
  delete body?.auth?.privateKey;
  if (operation.operationId === 'catalogue.import') Object.assign(body, { url: registry.url, allowPrivateNetwork: true });
  return {
    ...{ id: operation.operationId, need: operation['x-gatehouse-capability'], status, schema, body },
    ...{ method: method.toUpperCase(), path: path.replaceAll(/\{(\w+)\}/g, (_whole, name) => encodeURIComponent(examples.get(name)!)) + queryOf(operation) },
  };
}

/** What a query must have. */
function queryOf({ parameters = [] }: any): string {
  const required = parameters.filter((each: any) => each.in === 'query' && each.required).map((each: any) => [each.name, sampleOf(each.schema, openapi)]);
  return required.length === 0 ? '' : `?${new URLSearchParams(required)}`;
}

const sent = ({ method, path, body }: Trial, token?: string) =>
  stage.send(method, path, token === undefined ? {} : { authorization: `Bearer ${token}` }, body === undefined ? undefined : JSON.stringify(body));

beforeAll(async () => {
  registry = await startRecordingServer((_asked, response) => void response.end('{"servers":[]}'));
  neighbours = new Neighbours();
  await neighbours.serve();
  services = new AnsweringServices(neighbours);
  await services.serve();
  administrator = neighbours.addToken('Ada', { scopes: ADMIN, capabilities: [...CAPABILITIES] });
  // The server that a sample names, for what this edge answers by itself.
  neighbours.addServer('a-name', 'https://a.example/mcp');
  stage = await (await EdgeStage.start(neighbours)).ready();
  openapi = (await stage.send('GET', '/api/openapi.json')).json;
  trials = Object.entries(openapi.paths).flatMap(([path, methods]: [string, any]) => Object.entries(methods).map(([method, operation]) => trialOf(method, path, operation)));
});

afterAll(async () => {
  await stage.close();
  await neighbours.close();
  await registry.close();
});

describe('every route of the OpenAPI document', () => {
  const rolesAndCapabilities: [string, readonly string[]][] = [
    ...Object.entries(ROLES),
    ...CAPABILITIES.map((capability): [string, readonly string[]] => [`a role with ${capability} alone`, [capability]]),
  ];

  it.each(rolesAndCapabilities)('does for %s what it declares, and nothing more (A-19)', async (name, capabilities) => {
    const kinds = name in ROLES ? (['person', 'service_account'] as const) : (['person'] as const);
    const callers = kinds.map((kind) => neighbours.addToken(name, { callerId: newId(kind), scopes: ADMIN, capabilities: [...capabilities] }));
    await stage.changed();
    for (const token of callers) {
      const heard = await Promise.all(trials.map(async (trial) => [trial.id, verdictOf(await sent(trial, token))]));
      const may = ({ need }: Trial): boolean => need === 'nobody' || need === 'signed-in' || capabilities.includes(need);
      expect(heard).toEqual(trials.map((trial) => [trial.id, may(trial) ? 'let in' : '403 capability_missing']));
    }
  });

  it.each([
    ['nobody', () => undefined, '401 unauthenticated'],
    ['a wrong token', () => 'ghp_gatehouse_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '401 unauthenticated'],
    ['an administrator whose token lacks the scope', () => neighbours.addToken('narrow', { scopes: ['mcp:access', 'scim', 'clients:register'], capabilities: [...CAPABILITIES] }), '403 insufficient_scope'],
  ])('refuses %s, unless it is for everybody (A-18)', async (_who, token, refusal) => {
    const given = token();
    await stage.changed();
    const before = services.asked.length;
    const heard = await Promise.all(trials.map(async (trial) => [trial.id, verdictOf(await sent(trial, given))]));
    expect(heard).toEqual(trials.map(({ id, need }) => [id, need === 'nobody' ? 'let in' : refusal]));
    expect(services.asked.length).toBe(before);
  });

  it('answers as it declares', async () => {
    const declared = new Map(declaredRoutes(ADMIN_CONTROLLERS).map(({ id, operation }) => [id, operation.answer]));
    const heard = await Promise.all(
      trials.map(async (trial) => {
        const answer = await sent(trial, administrator);
        return [trial.id, answer.status, declared.get(trial.id)!.safeParse(answer.text === '' ? undefined : answer.json).success];
      }),
    );
    expect(heard).toEqual(trials.map(({ id, status }) => [id, status, true]));
  });

  it('takes no member that it does not declare, anywhere in its body (A-19)', async () => {
    const extended = trials.flatMap((trial) => {
      const pointers = trial.schema === undefined ? (trial.method === 'GET' ? [] : ['']) : closedObjects(trial.schema, openapi);
      return pointers.map((pointer) => ({ ...trial, pointer, body: withMember(trial.body ?? {}, pointer, 'tenantAdmin') }));
    });
    expect(extended.length).toBeGreaterThan(30);
    const before = services.asked.length;
    const heard = await Promise.all(extended.map(async (trial) => [trial.id, trial.pointer, refusalOf(await sent(trial, administrator))]));
    const refused = { status: 400, code: 'bad_request' };
    expect(heard).toEqual(extended.map(({ id, pointer }) => [id, pointer, { ...refused, errors: [{ pointer, detail: 'Unrecognized key: "tenantAdmin"' }] }]));
    expect(services.asked.length).toBe(before);
  });

  it('asks the other services in the name of whoever asked', () => {
    const { callerId } = neighbours.tokens[0]!;
    const foreign = services.asked.filter(({ input }) => input.actor !== undefined && !neighbours.callers.some(({ id }) => id === input.actor.callerId));
    expect(foreign).toEqual([]);
    expect(services.asked.filter(({ input }) => input.actor?.callerId === callerId).length).toBeGreaterThan(20);
  });
});

function verdictOf({ status, json }: { status: number; json: any }): string {
  return status === 401 || status === 403 ? `${status} ${json?.code}` : 'let in';
}

function refusalOf({ json }: { json: any }): unknown {
  return { status: json?.status, code: json?.code, errors: json?.errors };
}
