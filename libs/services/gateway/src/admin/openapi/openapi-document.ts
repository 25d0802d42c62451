import { errorRow, type ErrorCode, type JsonObject } from '@gatehouse/kernel';
import { api } from '@gatehouse/contracts';
import type { Type } from '@nestjs/common';
import { NOTHING, statusOf, type OperationShape } from '../operation.js';
import { declaredRoutes, type DeclaredRoute } from './declared-routes.js';
import { errorsOf } from './route-errors.js';
import { SchemaBook } from './schema-book.js';

const INFO = {
  title: 'Gatehouse admin API',
  version: 'v1',
  description: 'Lists and changes what the gateway knows. Refusals are problem documents (RFC 9457) whose code is a row of the error table. Each operation names in x-gatehouse-capability what it demands: a capability, signed-in for any caller whose token has the scope admin, or nobody.',
};

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description: 'A personal access token or an access token for /api/v1, either with the scope admin.',
};

/**
 * The OpenAPI 3.1 document of these controllers: made from what the routes declare and check, so that
 * there is nothing to keep in step by hand.
 */
export function openapiDocument(controllers: readonly Type[]): JsonObject {
  const book = new SchemaBook();
  const writing: Writing = { book, problem: book.write(api.problem, 'output'), refusals: {} };
  const paths: Record<string, JsonObject> = {};
  for (const route of declaredRoutes(controllers)) {
    const path = route.pattern.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, writing) };
  }
  const components = { schemas: book.components(), responses: writing.refusals, securitySchemes: { bearer: BEARER } };
  return { openapi: '3.1.1', info: INFO, paths, components };
}

interface Writing {
  readonly book: SchemaBook;
  readonly problem: JsonObject;
  /** What routes refuse with, by the codes. */
  readonly refusals: Record<string, JsonObject>;
}

function operationOf(route: DeclaredRoute, writing: Writing): JsonObject {
  const { id, resource, need, operation } = route;
  const parameters = [...pathParameters(operation), ...queryParameters(operation, writing.book), ...headerParameters(operation)];
  return {
    ...{ operationId: id, tags: [resource], summary: operation.summary, 'x-gatehouse-capability': need },
    security: need === 'nobody' ? [] : [{ bearer: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(operation, writing.book),
    responses: { ...answerOf(operation, writing.book), ...refusalsOf(errorsOf(route), writing) },
  };
}

function pathParameters({ path = {} }: OperationShape): JsonObject[] {
  return Object.entries(path).map(([name, { description, example }]) => ({ name, in: 'path', required: true, description, schema: { type: 'string' }, example }));
}

function queryParameters({ query }: OperationShape, book: SchemaBook): JsonObject[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = book.write(query, 'input');
  return Object.entries(properties as JsonObject).map(([name, schema]) => ({ name, in: 'query', required: (required as string[]).includes(name), schema: schema! }));
}

function headerParameters({ ifMatch = false }: OperationShape): JsonObject[] {
  return ifMatch ? [{ name: 'if-match', in: 'header', required: false, description: 'The ETag that was read', schema: { type: 'string' } }] : [];
}

function bodyOf({ body, cedar = false }: OperationShape, book: SchemaBook): JsonObject {
  if (body === undefined) return {};
  const json = { 'application/json': { schema: book.write(body, 'input') } };
  const text = cedar ? { 'text/cedar': { schema: { type: 'string' } } } : {};
  return { requestBody: { required: true, content: { ...json, ...text } } };
}

function answerOf(operation: OperationShape, book: SchemaBook): JsonObject {
  const { answer } = operation;
  const content = answer === NOTHING ? {} : { content: { 'application/json': { schema: book.write(answer, 'output') } } };
  return { [String(statusOf(operation))]: { description: operation.summary, ...content } };
}

function refusalsOf(codes: readonly ErrorCode[], writing: Writing): JsonObject {
  const statuses = [...new Set(codes.map((code) => errorRow(code).status))];
  return Object.fromEntries(statuses.map((status) => [String(status), refusal(codes.filter((code) => errorRow(code).status === status).sort(), writing)]));
}

// Most routes refuse alike: each set of codes is written once, under their names.
function refusal(codes: readonly ErrorCode[], { problem, refusals }: Writing): JsonObject {
  const name = codes.join('.');
  const description = codes.map((code) => `${code}: ${errorRow(code).sentence}`).join(' ');
  const schema = { allOf: [problem, { type: 'object', properties: { code: { enum: [...codes] } } }] };
  refusals[name] = { description, content: { 'application/problem+json': { schema } } };
  return { $ref: `#/components/responses/${name}` };
}
