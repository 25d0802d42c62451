import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner } from '@nestjs/core';
import { Fault } from '@gatehouse/kernel';
import { NEEDS, type Need } from '../needs.js';
import { OPERATION, type OperationShape } from '../operation.js';

/** A route as its decorators declare it. */
export interface DeclaredRoute {
  /** In capitals. */
  readonly method: string;
  /** As the router writes it: `/api/v1/people/:id`. */
  readonly pattern: string;
  /** Controller and method: `people.disable`. */
  readonly id: string;
  readonly resource: string;
  readonly need: Need;
  readonly operation: OperationShape;
}

/**
 * Every route of these controllers, in the order in which they stand. A route that does not say what
 * it is and who may use it is a `Fault`: the edge does not start with it.
 */
export function declaredRoutes(controllers: readonly Type[]): DeclaredRoute[] {
  const scanner = new MetadataScanner();
  return controllers.flatMap((controller) => {
    const methods = scanner.getAllMethodNames(controller.prototype as object);
    return methods.flatMap((name) => routeOf(controller, name) ?? []);
  });
}

function routeOf(controller: Type, name: string): DeclaredRoute | undefined {
  const handler = (controller.prototype as Record<string, object>)[name]!;
  const path = Reflect.getMetadata(PATH_METADATA, handler) as string | undefined;
  if (path === undefined) return undefined;
  const need = (Reflect.getMetadata(NEEDS, handler) ?? Reflect.getMetadata(NEEDS, controller)) as Need | undefined;
  const operation = Reflect.getMetadata(OPERATION, handler) as OperationShape | undefined;
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  if (need === undefined || operation === undefined) throw new Fault(`${controller.name}.${name} lacks @Needs or @Operation`);
  const pattern = joined(Reflect.getMetadata(PATH_METADATA, controller) as string, path);
  const resource = resourceOf(controller);
  return { method, pattern, id: `${resource}.${name}`, resource, need, operation };
}

function joined(...parts: string[]): string {
  return `/${parts.flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
}

// ServiceAccountsController speaks of service accounts.
function resourceOf({ name }: Type): string {
  return name.replace(/Controller$/, '').replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}
