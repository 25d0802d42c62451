import 'reflect-metadata';
import { inProcessBus } from './in-process/in-process-bus.js';
import { InProcessBroker } from './in-process/in-process-broker.js';
import { Controller, Logger, UseGuards, type CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { Serves } from './serves.js';
import { echo } from './stage.conformance.js';

const asked: string[] = [];

class NobodyPasses implements CanActivate {
  canActivate(): boolean {
    asked.push('guard');
    return false;
  }
}

@Controller()
class GuardedController {
  @Serves(echo)
  @UseGuards(NobodyPasses)
  async guarded(): Promise<{ text: string; by: string }> {
    asked.push('handler');
    return { text: '', by: '' };
  }
}

class GuardedModule {}

describe('@Serves', () => {
  it('keeps the guards that a method has, and a refusal of Nest itself tells nothing', async () => {
    Logger.overrideLogger(false);
    const broker = new InProcessBroker();
    const bus = inProcessBus(broker, 'audit');
    const app = await NestFactory.createMicroservice({ module: GuardedModule, controllers: [GuardedController] }, { strategy: bus.strategy(), logger: false });
    await app.listen();
    const caller = inProcessBus(broker, 'gateway');
    await expect(caller.request(echo, { text: 'x' })).rejects.toMatchObject({ name: 'Refusal', code: 'internal', details: {} });
    expect(asked).toEqual(['guard']);
    await app.close();
  });

  it('keeps the name of the method, by which Nest finds its parameters', () => {
    expect(GuardedController.prototype.guarded.name).toBe('guarded');
  });
});
