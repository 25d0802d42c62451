import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { BUS } from '@gatehouse/bus';
import { authContracts } from '@gatehouse/contracts';
import { ERRORS, type ErrorCode } from '@gatehouse/kernel';
import { Controller, Get } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Edge } from '../../edge.js';
import { GatewayModule } from '../../gateway.module.js';
import { adminAdapter } from '../admin-adapter.js';
import { EDGE } from '../admin-guard.js';
import { Needs } from '../needs.js';
import { OUTBOUND } from '../server-registration.js';
import { SnapshotWaits } from '../snapshot-waits.js';
import { HEALTH } from '../system.controller.js';
import { adminApiDocument } from './admin-api-document.js';
import { openapiDocument } from './openapi-document.js';

const openapi = adminApiDocument() as any;
const operations: any[] = Object.values(openapi.paths).flatMap((methods: any) => Object.values(methods));

const DEPTH = 4;

/** The routes that Fastify prints as a tree: `GET /api/v1/people/:id`. */
function printed(tree: string): string[] {
  const branch: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, segment, methods] = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    if (indent === undefined) return [];
    branch.length = indent.length / DEPTH;
    branch.push(segment!);
    return (methods?.split(', ') ?? []).map((method) => `${method} ${branch.join('')}`);
  });
}

function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === '$ref') yield each as string;
    else yield* refsIn(each);
  }
}

describe('the routes of the edge', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const edge = {} as Edge;
    const world = [BUS, EDGE, OUTBOUND, HEALTH, SnapshotWaits].map((provide) => ({ provide, useValue: edge }));
    app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(world), adminAdapter(edge, createServer), { logger: false, bodyParser: false });
    await app.init();
  });

  afterAll(() => app.close());

  it('are those of the document, and HEAD of what can be read', () => {
    const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
    const documented = Object.entries(openapi.paths).flatMap(([path, methods]: [string, any]) => {
      const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
      return Object.keys(methods).flatMap((method) => (method === 'get' ? [`GET ${pattern}`, `HEAD ${pattern}`] : [`${method.toUpperCase()} ${pattern}`]));
    });
    expect(printed(tree).sort()).toEqual(documented.sort());
  });
});

describe('the OpenAPI document', () => {
  it('says of every operation who may use it', () => {
    const known = [...authContracts.CAPABILITIES, 'signed-in', 'nobody'];
    expect(operations.map(({ operationId, 'x-gatehouse-capability': need }) => [operationId, known.includes(need)])).toEqual(operations.map(({ operationId }) => [operationId, true]));
    expect(operations.filter(({ security }) => security.length === 0).map(({ operationId }) => operationId)).toEqual(['system.livez', 'system.readyz', 'system.startupz', 'openapi.show']);
  });

  it('calls every operation by a name of its own', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers to nothing that is not there', () => {
    const broken = [...refsIn(openapi)].filter((ref) => ref.slice(2).split('/').reduce((at: any, step) => at?.[step], openapi) === undefined);
    expect(broken).toEqual([]);
  });

  it('gives every path parameter and an example of it', () => {
    for (const [path, methods] of Object.entries<any>(openapi.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values<any>(methods)) {
        const given = parameters.filter((each: any) => each.in === 'path');
        expect([path, given.map(({ name }: any) => name), given.every(({ example }: any) => typeof example === 'string')]).toEqual([path, names, true]);
      }
    }
  });

  it('tells the codes that each status stands for', () => {
    for (const [name, response] of Object.entries<any>(openapi.components.responses)) {
      const codes: ErrorCode[] = response.content['application/problem+json'].schema.allOf[1].properties.code.enum;
      expect([name, new Set(codes.map((code) => ERRORS[code].status)).size]).toEqual([codes.join('.'), 1]);
    }
  });

  it('shows no secret anywhere but where it is made', () => {
    const secretive = operations.filter(({ responses }) => /"(secret|token|clientSecret|sealed)"/.test(JSON.stringify(Object.entries(responses).filter(([status]) => status.startsWith('2')))));
    expect(secretive.map(({ operationId }) => operationId)).toEqual(['service-accounts.create', 'service-accounts.replaceAuth', 'tokens.create', 'clients.create']);
  });

  it('is not made when a route does not say what it is', () => {
    class Undeclared {
      read() {
        return {};
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Undeclared.prototype, 'read')!;
    Get('secret')(Undeclared.prototype, 'read', descriptor);
    Needs('servers.read')(Undeclared.prototype, 'read', descriptor);
    Controller('api/v1')(Undeclared);
    expect(() => openapiDocument([Undeclared])).toThrow('lacks @Needs or @Operation');
  });
});
