import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AdminGuard } from './admin/admin-guard.js';
import { AuditController } from './admin/audit.controller.js';
import { PeopleController } from './admin/people.controller.js';
import { PoliciesController } from './admin/policies.controller.js';
import { ProblemFilter } from './admin/problem-filter.js';
import { ServerRegistration } from './admin/server-registration.js';
import { ServersController } from './admin/servers.controller.js';
import { SystemController } from './admin/system.controller.js';
import { TokensController } from './admin/tokens.controller.js';

/** The admin API of the edge; calls do not pass through Nest. */
@Module({})
export class GatewayModule {
  /** `world` provides the bus, the edge, the outbound client, the health checks and the snapshot waits. */
  static with(world: Provider[]): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [ServersController, PoliciesController, PeopleController, TokensController, AuditController, SystemController],
      providers: [
        ...world,
        ServerRegistration,
        { provide: APP_GUARD, useClass: AdminGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
