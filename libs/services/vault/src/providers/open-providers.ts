import { Fault, type Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import { loadKeyEncryptionKey, type KeyFileLocation } from '../keys/load-key-encryption-key.js';
import { AwsKms } from './aws-kms.js';
import { AzureKeyVault } from './azure-key-vault.js';
import { GcpKms } from './gcp-kms.js';
import { KeyFileProvider } from './key-file-provider.js';
import type { KeyProvider } from './key-provider.js';
import type { KmsChoice, RootChoice } from './provider-settings.js';
import { Transit } from './transit.js';

/** What providers are opened with. */
export interface ProviderGround {
  outbound: Outbound;
  clock?: Clock | undefined;
  /** Single-process form: where the key file lies when no setting names a root. */
  embeddedKeyFile?: string | undefined;
  /** With wrapped keys in the database a missing key file is refused, never made anew. */
  hasKeys: boolean;
}

/** The provider in use and those before it. Refuses with a `Fault` of one line for a key file that cannot be used. */
export async function openProviders({ active, previous }: RootChoice, ground: ProviderGround): Promise<{ active: KeyProvider; previous: KeyProvider[] }> {
  const before: KeyProvider[] = [];
  if (previous.file !== undefined) before.push(await keyFile({ path: previous.file, mayCreate: false }, ground));
  if (previous.kms !== undefined) before.push(kmsProvider(previous.kms, ground));
  const now = typeof active === 'object' && 'kms' in active ? kmsProvider(active.kms, ground) : await keyFile(keyFileLocation(active, ground), ground);
  if (before.some(({ id }) => id === now.id)) throw new Fault('the previous key-encryption key is the present one: nothing would be rotated');
  return { active: now, previous: before };
}

function keyFileLocation(active: { file: string } | 'nothing', { embeddedKeyFile }: ProviderGround): KeyFileLocation {
  if (active !== 'nothing') return { path: active.file, mayCreate: false };
  if (embeddedKeyFile !== undefined) return { path: embeddedKeyFile, mayCreate: true };
  throw new Fault('GATEHOUSE_KEK_FILE is not set: the vault needs a file with its key-encryption key, or GATEHOUSE_KMS_PROVIDER');
}

async function keyFile(location: KeyFileLocation, { hasKeys }: ProviderGround): Promise<KeyProvider> {
  return new KeyFileProvider(await loadKeyEncryptionKey(location, hasKeys));
}

function kmsProvider({ provider, key, credentialsFile, region, endpoint }: KmsChoice, { outbound, clock }: ProviderGround): KeyProvider {
  const settings = { outbound, key, credentialsFile, endpoint, clock };
  if (provider === 'aws') return new AwsKms({ ...settings, region: region! });
  if (provider === 'gcp') return new GcpKms(settings);
  return provider === 'azure' ? new AzureKeyVault(settings) : new Transit({ ...settings, endpoint: endpoint! });
}
