import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { CredentialController } from './credentials/credential-controller.js';
import { Credentials } from './credentials/credentials.js';
import { EntryKeys } from './keys/entry-keys.js';
import { KeyController } from './keys/key-controller.js';
import { ServiceKeys } from './keys/service-keys.js';
import { TokenSigningKeys } from './keys/token-signing-keys.js';
import { ServiceSecretController } from './service-secrets/service-secret-controller.js';
import { ServiceSecrets } from './service-secrets/service-secrets.js';

/** What the controllers are given. */
export interface VaultParts {
  credentials: Credentials;
  entryKeys: EntryKeys;
  serviceKeys: ServiceKeys;
  tokenKeys: TokenSigningKeys;
  serviceSecrets: ServiceSecrets;
}

/** Composes the vault: controllers over parts that were built before Nest. */
@Module({})
export class VaultModule {
  /** The module around these parts. */
  static with({ credentials, entryKeys, serviceKeys, tokenKeys, serviceSecrets }: VaultParts): DynamicModule {
    return {
      module: VaultModule,
      controllers: [CredentialController, KeyController, ServiceSecretController],
      providers: [
        { provide: Credentials, useValue: credentials },
        { provide: EntryKeys, useValue: entryKeys },
        { provide: ServiceKeys, useValue: serviceKeys },
        { provide: TokenSigningKeys, useValue: tokenKeys },
        { provide: ServiceSecrets, useValue: serviceSecrets },
      ],
    };
  }
}
