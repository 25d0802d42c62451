import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { KeyRotation } from './authorization-server/key-rotation.js';
import { SigningKeysController } from './authorization-server/signing-keys-controller.js';
import { ClientsController } from './clients/clients-controller.js';
import { Clients } from './clients/clients.js';
import { GrantsController } from './clients/grants-controller.js';
import { Grants } from './clients/grants.js';
import { DirectoryController } from './directory/directory-controller.js';
import { DirectorySnapshots } from './directory/directory-snapshots.js';
import { IdentitiesController } from './identities/identities-controller.js';
import { Identities } from './identities/identities.js';
import { ObtainedIdentities } from './identities/obtained-identities.js';
import { Refreshes } from './identities/refreshes.js';
import { PeopleController } from './people/people-controller.js';
import { People } from './people/people.js';
import { RolesController } from './roles/roles-controller.js';
import { Roles } from './roles/roles.js';
import { ServiceAccountsController } from './service-accounts/service-accounts-controller.js';
import { ServiceAccounts } from './service-accounts/service-accounts.js';
import { IdentityProviderController } from './sign-in/identity-provider-controller.js';
import { IdentityProviders } from './sign-in/identity-providers.js';
import { LocalAccountsController } from './sign-in/local-accounts-controller.js';
import { LocalAccounts } from './sign-in/local-accounts.js';
import { TeamsController } from './teams/teams-controller.js';
import { Teams } from './teams/teams.js';
import { TokenIssuersController } from './token-issuers/token-issuers-controller.js';
import { TokenIssuers } from './token-issuers/token-issuers.js';
import { TokensController } from './tokens/tokens-controller.js';
import { Tokens } from './tokens/tokens.js';
import type { UpstreamsArea } from './upstreams/build-upstreams.js';
import { Connections } from './upstreams/connections.js';
import { UpstreamDiscovery } from './upstreams/upstream-discovery.js';
import { UpstreamSecrets } from './upstreams/upstream-secrets.js';
import { UpstreamsController } from './upstreams/upstreams-controller.js';

/** What the controllers are given. */
export interface AuthParts {
  people: People;
  roles: Roles;
  teams: Teams;
  serviceAccounts: ServiceAccounts;
  tokens: Tokens;
  snapshots: DirectorySnapshots;
  identityProviders: IdentityProviders;
  localAccounts: LocalAccounts;
  tokenIssuers: TokenIssuers;
  clients: Clients;
  grants: Grants;
  rotation: KeyRotation;
  identities: Identities;
  refreshes: Refreshes;
  obtained: ObtainedIdentities;
  upstreams: UpstreamsArea & { connections: Connections };
}

/** Composes auth: controllers over parts that were built before Nest. */
@Module({})
export class AuthModule {
  /** The module around these parts. */
  static with({ people, roles, teams, serviceAccounts, tokens, snapshots, identityProviders, localAccounts, tokenIssuers, clients, grants, rotation, identities, refreshes, obtained, upstreams }: AuthParts): DynamicModule {
    return {
      module: AuthModule,
      controllers: [PeopleController, RolesController, TeamsController, ServiceAccountsController, TokensController, DirectoryController, IdentityProviderController, LocalAccountsController, TokenIssuersController, ClientsController, GrantsController, SigningKeysController, IdentitiesController, UpstreamsController],
      providers: [
        { provide: People, useValue: people },
        { provide: Roles, useValue: roles },
        { provide: Teams, useValue: teams },
        { provide: ServiceAccounts, useValue: serviceAccounts },
        { provide: Tokens, useValue: tokens },
        { provide: DirectorySnapshots, useValue: snapshots },
        { provide: IdentityProviders, useValue: identityProviders },
        { provide: LocalAccounts, useValue: localAccounts },
        { provide: TokenIssuers, useValue: tokenIssuers },
        { provide: Clients, useValue: clients },
        { provide: Grants, useValue: grants },
        { provide: KeyRotation, useValue: rotation },
        { provide: UpstreamDiscovery, useValue: upstreams.discovery },
        { provide: UpstreamSecrets, useValue: upstreams.secrets },
        { provide: Connections, useValue: upstreams.connections },
        { provide: Identities, useValue: identities },
        { provide: Refreshes, useValue: refreshes },
        { provide: ObtainedIdentities, useValue: obtained },
      ],
    };
  }
}
