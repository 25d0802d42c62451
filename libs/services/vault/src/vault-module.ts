import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { CredentialController } from './credentials/credential-controller.js';
import { Credentials } from './credentials/credentials.js';
import { EntryKeys } from './keys/entry-keys.js';
import { KeyController } from './keys/key-controller.js';
import { ServiceKeys } from './keys/service-keys.js';
import { TokenSigningKeys } from './keys/token-signing-keys.js';
import { RotationController } from './rotation/rotation-controller.js';
import { Rotations } from './rotation/rotations.js';
import { ServiceSecretController } from './service-secrets/service-secret-controller.js';
import { ServiceSecrets } from './service-secrets/service-secrets.js';

/** What the controllers are given. */
export interface VaultParts {
  credentials: Credentials;
  entryKeys: EntryKeys;
  serviceKeys: ServiceKeys;
  tokenKeys: TokenSigningKeys;
  serviceSecrets: ServiceSecrets;
  rotations: Rotations;
}

/** Composes the vault: controllers over parts that were built before Nest. */
@Module({})
export class VaultModule {
  /** The module around these parts. */
  static with({ credentials, entryKeys, serviceKeys, tokenKeys, serviceSecrets, rotations }: VaultParts): DynamicModule {
    return {
      module: VaultModule,
      controllers: [CredentialController, KeyController, ServiceSecretController, RotationController],
      providers: [
        { provide: Credentials, useValue: credentials },
        { provide: EntryKeys, useValue: entryKeys },
        { provide: ServiceKeys, useValue: serviceKeys },
        { provide: TokenSigningKeys, useValue: tokenKeys },
        { provide: ServiceSecrets, useValue: serviceSecrets },
        { provide: Rotations, useValue: rotations },
      ],
    };
  }
}
