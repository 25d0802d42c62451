import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { DirectoryController } from './directory/directory-controller.js';
import { DirectorySnapshots } from './directory/directory-snapshots.js';
import { PeopleController } from './people/people-controller.js';
import { People } from './people/people.js';
import { TokensController } from './tokens/tokens-controller.js';
import { Tokens } from './tokens/tokens.js';

/** What the controllers are given. */
export interface AuthParts {
  people: People;
  tokens: Tokens;
  snapshots: DirectorySnapshots;
}

/** Composes auth: controllers over parts that were built before Nest. */
@Module({})
export class AuthModule {
  /** The module around these parts. */
  static with({ people, tokens, snapshots }: AuthParts): DynamicModule {
    return {
      module: AuthModule,
      controllers: [PeopleController, TokensController, DirectoryController],
      providers: [
        { provide: People, useValue: people },
        { provide: Tokens, useValue: tokens },
        { provide: DirectorySnapshots, useValue: snapshots },
      ],
    };
  }
}
