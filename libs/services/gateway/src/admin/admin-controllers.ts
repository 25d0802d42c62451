import type { Type } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { CatalogueController } from './catalogue.controller.js';
import { ClientRegistrationController } from './client-registration.controller.js';
import { ClientsController } from './clients.controller.js';
import { ConnectionsController } from './connections.controller.js';
import { ExplanationsController } from './explanations.controller.js';
import { GrantsController } from './grants.controller.js';
import { IdentitiesController } from './identities.controller.js';
import { IdentityProvidersController } from './identity-providers.controller.js';
import { OpenapiController } from './openapi/openapi.controller.js';
import { PeopleController } from './people.controller.js';
import { PoliciesController } from './policies.controller.js';
import { PresetsController } from './presets.controller.js';
import { RolesController } from './roles.controller.js';
import { ServersController } from './servers.controller.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { VaultKeysController } from './vault-keys.controller.js';
import { SystemController } from './system.controller.js';
import { TeamsController } from './teams.controller.js';
import { TokenIssuersController } from './token-issuers.controller.js';
import { TokensController } from './tokens.controller.js';

/** Everything that Nest answers at the edge: the module runs it, and the OpenAPI document is made from it. */
export const ADMIN_CONTROLLERS: Type[] = [
  ServersController,
  CatalogueController,
  PresetsController,
  ConnectionsController,
  ExplanationsController,
  IdentitiesController,
  PoliciesController,
  PeopleController,
  TeamsController,
  RolesController,
  ServiceAccountsController,
  TokensController,
  ClientsController,
  ClientRegistrationController,
  GrantsController,
  IdentityProvidersController,
  TokenIssuersController,
  SigningKeysController,
  VaultKeysController,
  AuditController,
  SystemController,
  OpenapiController,
];
