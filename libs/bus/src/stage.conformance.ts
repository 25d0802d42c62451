import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineEvent, defineRequest, type EventContract, type ServiceName } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { Controller, Inject, type INestMicroservice, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect } from '@jest/globals';
import { z } from 'zod';
import type { Bus, BusOptions } from './bus.js';
import { Serves } from './serves.js';

/** Opens buses of one adapter that hear each other. */
export type OpenBus = (service: ServiceName, options?: BusOptions) => Promise<Bus>;

export const echo = defineRequest({
  subject: 'rpc.v1.audit.echo.ask',
  owner: 'audit',
  callers: ['gateway', 'policy'],
  request: z.strictObject({ text: z.string(), times: z.int().min(1).default(1) }),
  reply: z.strictObject({ text: z.string(), by: z.string() }),
});

export const misbehave = defineRequest({
  subject: 'rpc.v1.audit.echo.misbehave',
  owner: 'audit',
  request: z.strictObject({ how: z.enum(['refuse', 'crash', 'lie', 'hang', 'flood', 'linger']) }),
  reply: z.strictObject({ text: z.string() }),
  timeoutMs: 1_000,
});

export const ping = defineRequest({ subject: 'rpc.v1.audit.echo.ping', owner: 'audit', request: z.strictObject({}), reply: z.null() });

export const unserved = defineRequest({
  subject: 'rpc.v1.audit.nobody.answers',
  owner: 'audit',
  request: z.strictObject({}),
  reply: z.strictObject({}),
});

const NAME = 'INSTANCE_NAME';

@Controller()
class EchoController {
  constructor(@Inject(NAME) private readonly name: string) {}

  @Serves(echo)
  async echo(input: z.output<typeof echo.request>): Promise<z.input<typeof echo.reply>> {
    return { text: input.text.repeat(input.times), by: this.name };
  }

  @Serves(ping)
  ping(): null {
    return null;
  }

  @Serves(misbehave)
  async misbehave({ how }: z.output<typeof misbehave.request>): Promise<{ text: string }> {
    if (how === 'refuse') throw new Refusal('conflict', { name: 'taken', tries: 2 });
    if (how === 'crash') throw new Error('password=hunter2 in /etc/shadow');
    if (how === 'lie') return { wrong: true } as unknown as { text: string };
    if (how === 'flood') return { text: 'x'.repeat(1_100_000) };
    await sleep(how === 'linger' ? 300 : 3_000);
    return { text: 'late' };
  }
}

class EchoModule {}

/** Lines that Nest was given to log. */
export class Lines implements LoggerService {
  readonly errors: unknown[] = [];
  log(): void {}
  warn(): void {}
  error(message: unknown): void {
    this.errors.push(message);
  }
}

/** Starts an instance of the echoing service on a bus. */
export async function serveEcho(bus: Bus, name: string, logger: LoggerService = new Lines()): Promise<INestMicroservice> {
  const module = { module: EchoModule, controllers: [EchoController], providers: [{ provide: NAME, useValue: name }] };
  const app = await NestFactory.createMicroservice(module, { strategy: bus.strategy(), logger });
  await app.listen();
  return app;
}

let made = 0;

/** A new event of the policy service that nobody has published yet. */
export function newEvent(): EventContract<z.ZodObject<{ n: z.ZodInt }>> {
  made += 1;
  const subject = `evt.v1.policy.thing${made}x${process.pid}.happened`;
  return defineEvent({ subject, owner: 'policy', consumers: ['gateway', 'audit'], payload: z.strictObject({ n: z.int() }) });
}

/** Waits until the condition holds, five seconds at most unless told. */
export async function eventually(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition() && Date.now() < deadline) await sleep(10);
  expect(condition()).toBe(true);
}
