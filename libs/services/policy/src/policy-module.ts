import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { CatalogueController } from './catalogue/catalogue-controller.js';
import { Catalogue } from './catalogue/catalogue.js';
import { Policies } from './policies/policies.js';
import { PolicyController } from './policies/policy-controller.js';
import { PolicyTests } from './policies/policy-tests.js';
import { PresetController } from './presets/preset-controller.js';
import { Presets } from './presets/presets.js';
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
  catalogue: Catalogue;
  presets: Presets;
}

/** Composes policy: controllers over parts that were built before Nest. */
@Module({})
export class PolicyModule {
  /** The module around these parts. */
  static with({ servers, policies, tests, snapshots, catalogue, presets }: PolicyParts): DynamicModule {
    return {
      module: PolicyModule,
      controllers: [ServerController, PolicyController, SnapshotController, CatalogueController, PresetController],
      providers: [
        { provide: Servers, useValue: servers },
        { provide: Policies, useValue: policies },
        { provide: PolicyTests, useValue: tests },
        { provide: Snapshots, useValue: snapshots },
        { provide: Catalogue, useValue: catalogue },
        { provide: Presets, useValue: presets },
      ],
    };
  }
}
