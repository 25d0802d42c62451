import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import type { ErrorCode } from '@gatehouse/kernel';
import { z } from 'zod';
import type { PathParameter } from './path-parameters.js';

/** Metadata key of what a route is. */
export const OPERATION = 'gatehouse:operation';

/** Answer of a route that has nothing to say: 204. */
export const NOTHING = z.void();

/** A route of the admin API as it is checked and as the OpenAPI document tells it. */
export interface OperationShape<A extends z.ZodType = z.ZodType> {
  readonly summary: string;
  /** By the name in the route's pattern. */
  readonly path?: Readonly<Record<string, PathParameter>>;
  readonly query?: z.ZodObject;
  /** Without one the route takes no body, or an empty object. */
  readonly body?: z.ZodType;
  /** Whether the body may be Cedar text in place of JSON; it is read as `{text}`. */
  readonly cedar?: boolean;
  /** Whether `If-Match` may say which revision is meant. */
  readonly ifMatch?: boolean;
  readonly answer: A;
  /** 200 unless said; 204 where the answer is `NOTHING`. */
  readonly status?: 200 | 201;
  /** Refusals beyond those that every route can answer with. */
  readonly errors?: readonly ErrorCode[];
}

type Answering<A extends z.ZodType> = (...args: never[]) => z.output<A> | Promise<z.output<A>>;

type OperationDecorator<A extends z.ZodType> = <M extends Answering<A>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>) => void;

/**
 * Declares what a route takes and answers: `ReadOperation` checks the request by it, the OpenAPI
 * document tells it, and the compiler holds the method to the answer.
 */
export function Operation<A extends z.ZodType>(shape: OperationShape<A>): OperationDecorator<A> {
  return applyDecorators(SetMetadata(OPERATION, shape), HttpCode(statusOf(shape)));
}

/** The status of a good answer. */
export function statusOf({ answer, status = 200 }: OperationShape): number {
  return answer === NOTHING ? 204 : status;
}
