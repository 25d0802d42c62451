import { afterEach, beforeEach, describe } from '@jest/globals';
import { Logger, type INestMicroservice } from '@nestjs/common';
import type { Bus } from './bus.js';
import { describeConsuming } from './consuming.conformance.js';
import { describeFollowing } from './following.conformance.js';
import { describeRequests } from './requests.conformance.js';
import { serveEcho, type OpenBus } from './stage.conformance.js';

/** What suites use to open buses and start services; everything opened is closed after each test. */
export interface Stage {
  open: OpenBus;
  serve: typeof serveEcho;
}

/** What every adapter of the bus must do; `newWorld` gives a way to open buses that hear each other and nobody else. */
export function describeBus(name: string, newWorld: () => Promise<OpenBus>): void {
  describe(`${name} as bus`, () => {
    const buses: Bus[] = [];
    const apps: INestMicroservice[] = [];
    let openInWorld: OpenBus;
    beforeEach(async () => {
      Logger.overrideLogger(false);
      openInWorld = await newWorld();
    });
    afterEach(async () => {
      await Promise.all(apps.splice(0).map((app) => app.close()));
      await Promise.all(buses.splice(0).map((bus) => bus.close()));
    });

    const stage: Stage = {
      open: async (service, options) => {
        const bus = await openInWorld(service, options);
        buses.push(bus);
        return bus;
      },
      serve: async (...instance) => {
        const app = await serveEcho(...instance);
        apps.push(app);
        return app;
      },
    };
    describe('requests', () => describeRequests(stage));
    describe('following events', () => describeFollowing(stage));
    describe('consuming events', () => describeConsuming(stage));
  });
}
