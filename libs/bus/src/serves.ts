import type { RequestContract } from '@gatehouse/contracts';
import { asRefusalOrFault, Fault, Refusal } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import { MessagePattern, RpcException } from '@nestjs/microservices';
import type { z } from 'zod';
import { validInput } from './validation.js';
import { toWireError } from './wire.js';

/** A controller method that answers a contract. */
export type RequestHandler<C extends RequestContract> = (
  input: z.output<C['request']>,
  ...rest: never[]
) => z.input<C['reply']> | Promise<z.input<C['reply']>>;

type ServesDecorator<C extends RequestContract> = <M extends RequestHandler<C>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

type AnyHandler = (this: unknown, input: unknown, ...rest: unknown[]) => unknown;

const logger = new Logger('Bus');

/**
 * Makes a Nest controller method answer a contract's requests. The method gets the validated input as
 * its first argument and its reply is validated. A Refusal reaches the caller with code and details;
 * anything else is logged here, once, and the caller is told `internal` and the id of the log line.
 */
export function Serves<C extends RequestContract>(contract: C): ServesDecorator<C> {
  return (target, key, descriptor) => {
    const method: PropertyDescriptor = descriptor;
    const handler = method.value as AnyHandler;
    method.value = answering(contract, handler);
    keepIdentity(handler, method.value as AnyHandler);
    MessagePattern(contract.subject)(target, key, method);
  };
}

function answering(contract: RequestContract, handler: AnyHandler): AnyHandler {
  return async function (input, ...rest) {
    try {
      const answer = await handler.call(this, validInput(contract.request, input), ...rest);
      return validReply(contract, answer);
    } catch (error) {
      throw new RpcException(toWireError(noted(contract, error)));
    }
  };
}

function validReply(contract: RequestContract, answer: unknown): unknown {
  const reply = contract.reply.safeParse(answer);
  if (reply.success) return reply.data;
  throw new Fault(`the reply to ${contract.subject} does not fit its contract`, { cause: reply.error });
}

function noted(contract: RequestContract, error: unknown): Refusal | Fault {
  const known = asRefusalOrFault(error);
  if (known instanceof Fault) logger.error({ msg: 'request failed', subject: contract.subject, id: known.id, err: known });
  return known;
}

// Nest finds parameter types by the method's name, and guards and pipes set below this decorator by its metadata.
function keepIdentity(handler: AnyHandler, serve: AnyHandler): void {
  Object.defineProperty(serve, 'name', { value: handler.name });
  for (const metadata of Reflect.getMetadataKeys(handler)) {
    Reflect.defineMetadata(metadata, Reflect.getMetadata(metadata, handler), serve);
  }
}
