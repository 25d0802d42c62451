import { httpUrl, oneOf, type Field } from '@gatehouse/config';
import { z } from 'zod';

/** Which key service holds the key-encryption key. */
export const KMS_PROVIDERS = ['aws', 'gcp', 'azure', 'transit'] as const;

/** One of them. */
export type KmsProviderName = (typeof KMS_PROVIDERS)[number];

const text = (): z.ZodOptional<z.ZodString> => z.string().min(1).optional();

/** Configuration of the vault. */
export const vaultConfigFields = {
  kekFile: {
    env: 'GATEHOUSE_KEK_FILE',
    schema: text(),
    describe:
      'File with the 32-byte key-encryption key (raw, base64 or hex; mode 0600, no symbolic link). Without it and without `GATEHOUSE_KMS_PROVIDER` the single-process form keeps one in its data directory; the vault on its own refuses to start.',
  },
  kekPreviousFile: {
    env: 'GATEHOUSE_KEK_PREVIOUS_FILE',
    schema: text(),
    describe: 'The key file that was in use before: its keys are re-wrapped by the present key-encryption key. Drop it, and the file, once the rotation is said to be done.',
  },
  kmsProvider: {
    env: 'GATEHOUSE_KMS_PROVIDER',
    schema: oneOf(KMS_PROVIDERS).optional(),
    describe: 'Key service that holds the key-encryption key in place of a key file: AWS KMS, Google Cloud KMS, Azure Key Vault, or the transit engine of OpenBao or Vault.',
  },
  kmsKey: {
    env: 'GATEHOUSE_KMS_KEY',
    schema: text(),
    describe: 'The key there: key id or ARN (aws, no alias), `projects/…/cryptoKeys/…` (gcp), `https://….vault.azure.net/keys/…` without a version (azure), mount and name such as `transit/gatehouse` (transit).',
  },
  kmsRegion: { env: 'GATEHOUSE_KMS_REGION', schema: text(), describe: 'Region of the key (aws); taken from the ARN when the key is one.' },
  kmsEndpoint: {
    env: 'GATEHOUSE_KMS_ENDPOINT',
    schema: httpUrl().optional(),
    describe: 'Address of the key service: required for transit, a private endpoint for aws and gcp; azure has it in the key. Private networks are let through, http only there.',
  },
  kmsCredentialsFile: {
    env: 'GATEHOUSE_KMS_CREDENTIALS_FILE',
    schema: text(),
    describe:
      'File with the credentials, read again at each login: `{"accessKeyId","secretAccessKey","sessionToken"?}` (aws), a service account key (gcp), `{"tenantId","clientId","clientSecret"}` (azure), a token or `{"roleId","secretId"}` (transit). Mode 0600.',
  },
  kmsPreviousProvider: {
    env: 'GATEHOUSE_KMS_PREVIOUS_PROVIDER',
    schema: oneOf(KMS_PROVIDERS).optional(),
    describe: 'Key service that was in use before, until the rotation away from it is said to be done; its other settings are `GATEHOUSE_KMS_PREVIOUS_…`.',
  },
  kmsPreviousKey: { env: 'GATEHOUSE_KMS_PREVIOUS_KEY', schema: text(), describe: 'The key there, as `GATEHOUSE_KMS_KEY`.' },
  kmsPreviousRegion: { env: 'GATEHOUSE_KMS_PREVIOUS_REGION', schema: text(), describe: 'As `GATEHOUSE_KMS_REGION`.' },
  kmsPreviousEndpoint: { env: 'GATEHOUSE_KMS_PREVIOUS_ENDPOINT', schema: httpUrl().optional(), describe: 'As `GATEHOUSE_KMS_ENDPOINT`.' },
  kmsPreviousCredentialsFile: { env: 'GATEHOUSE_KMS_PREVIOUS_CREDENTIALS_FILE', schema: text(), describe: 'As `GATEHOUSE_KMS_CREDENTIALS_FILE`.' },
  environment: {
    env: 'GATEHOUSE_ENVIRONMENT',
    schema: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/),
    default: 'production',
    describe:
      'Name of this deployment, bound into every sealed secret: a database copied from another environment does not open here. Changing it later makes stored secrets unreadable.',
  },
} as const satisfies Record<string, Field>;

/** The vault's part of the configuration. */
export type VaultConfig = { environment: string } & {
  [Name in Exclude<keyof typeof vaultConfigFields, 'environment'>]?: z.output<(typeof vaultConfigFields)[Name]['schema']> | undefined;
};
