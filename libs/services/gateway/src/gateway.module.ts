import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ADMIN_CONTROLLERS } from './admin/admin-controllers.js';
import { AdminGuard } from './admin/admin-guard.js';
import { adminApiDocument } from './admin/openapi/admin-api-document.js';
import { CatalogueImport } from './admin/catalogue-import.js';
import { OPENAPI } from './admin/openapi/openapi.controller.js';
import { ProblemFilter } from './admin/problem-filter.js';
import { ReadOperation } from './admin/read-operation.js';
import { ServerLogs } from './admin/server-logs.js';
import { IdentityDesk } from './admin/identity-desk.js';
import { ServerRegistration } from './admin/server-registration.js';
import { ServerSecrets } from './admin/server-secrets.js';
import { ServiceSecrets } from './admin/service-secrets.js';

/** The admin API of the edge; calls do not pass through Nest. */
@Module({})
export class GatewayModule {
  /** `world` provides the bus, the edge, the outbound client, the health checks and the snapshot waits. */
  static with(world: Provider[]): DynamicModule {
    return {
      module: GatewayModule,
      controllers: ADMIN_CONTROLLERS,
      providers: [
        ...world,
        CatalogueImport,
        IdentityDesk,
        ServerLogs,
        ServerRegistration,
        ServerSecrets,
        ServiceSecrets,
        { provide: OPENAPI, useFactory: adminApiDocument },
        { provide: APP_GUARD, useClass: AdminGuard },
        { provide: APP_INTERCEPTOR, useClass: ReadOperation },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
