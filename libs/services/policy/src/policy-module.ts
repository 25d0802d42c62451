import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { Policies } from './policies/policies.js';
import { PolicyController } from './policies/policy-controller.js';
import { PolicyTests } from './policies/policy-tests.js';
import { ServerController } from './servers/server-controller.js';
import { Servers } from './servers/servers.js';
import { SnapshotController } from './snapshot/snapshot-controller.js';
import { Snapshots } from './snapshot/snapshots.js';

/** What the controllers are given. */
export interface PolicyParts {
  servers: Servers;
  policies: Policies;
  tests: PolicyTests;
  snapshots: Snapshots;
}

/** Composes policy: controllers over parts that were built before Nest. */
@Module({})
export class PolicyModule {
  /** The module around these parts. */
  static with({ servers, policies, tests, snapshots }: PolicyParts): DynamicModule {
    return {
      module: PolicyModule,
      controllers: [ServerController, PolicyController, SnapshotController],
      providers: [
        { provide: Servers, useValue: servers },
        { provide: Policies, useValue: policies },
        { provide: PolicyTests, useValue: tests },
        { provide: Snapshots, useValue: snapshots },
      ],
    };
  }
}
