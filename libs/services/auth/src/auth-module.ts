import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { DirectoryController } from './directory/directory-controller.js';
import { DirectorySnapshots } from './directory/directory-snapshots.js';
import { PeopleController } from './people/people-controller.js';
import { People } from './people/people.js';
import { RolesController } from './roles/roles-controller.js';
import { Roles } from './roles/roles.js';
import { ServiceAccountsController } from './service-accounts/service-accounts-controller.js';
import { ServiceAccounts } from './service-accounts/service-accounts.js';
import { IdentityProviderController } from './sign-in/identity-provider-controller.js';
import { IdentityProviders } from './sign-in/identity-providers.js';
import { TeamsController } from './teams/teams-controller.js';
import { Teams } from './teams/teams.js';
import { TokenIssuersController } from './token-issuers/token-issuers-controller.js';
import { TokenIssuers } from './token-issuers/token-issuers.js';
import { TokensController } from './tokens/tokens-controller.js';
import { Tokens } from './tokens/tokens.js';

/** What the controllers are given. */
export interface AuthParts {
  people: People;
  roles: Roles;
  teams: Teams;
  serviceAccounts: ServiceAccounts;
  tokens: Tokens;
  snapshots: DirectorySnapshots;
  identityProviders: IdentityProviders;
  tokenIssuers: TokenIssuers;
}

/** Composes auth: controllers over parts that were built before Nest. */
@Module({})
export class AuthModule {
  /** The module around these parts. */
  static with({ people, roles, teams, serviceAccounts, tokens, snapshots, identityProviders, tokenIssuers }: AuthParts): DynamicModule {
    return {
      module: AuthModule,
      controllers: [PeopleController, RolesController, TeamsController, ServiceAccountsController, TokensController, DirectoryController, IdentityProviderController, TokenIssuersController],
      providers: [
        { provide: People, useValue: people },
        { provide: Roles, useValue: roles },
        { provide: Teams, useValue: teams },
        { provide: ServiceAccounts, useValue: serviceAccounts },
        { provide: Tokens, useValue: tokens },
        { provide: DirectorySnapshots, useValue: snapshots },
        { provide: IdentityProviders, useValue: identityProviders },
        { provide: TokenIssuers, useValue: tokenIssuers },
      ],
    };
  }
}
