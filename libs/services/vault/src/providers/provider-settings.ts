import { Fault } from '@gatehouse/kernel';
import type { KmsProviderName, VaultConfig } from '../vault-config.js';

/** The settings of one key service, as they were given. */
export interface GivenKms {
  provider?: KmsProviderName | undefined;
  key?: string | undefined;
  region?: string | undefined;
  endpoint?: string | undefined;
  credentialsFile?: string | undefined;
}

/** The settings of one key service, complete. */
export interface KmsChoice {
  provider: KmsProviderName;
  key: string;
  credentialsFile: string;
  region?: string | undefined;
  endpoint?: string | undefined;
}

/** Where the key-encryption key lies now, and where it lay before. */
export interface RootChoice {
  active: { file: string } | { kms: KmsChoice } | 'nothing';
  previous: { file?: string | undefined; kms?: KmsChoice | undefined };
}

const KEY_FORMS: Record<KmsProviderName, { form: RegExp; said: string }> = {
  aws: { form: /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+|[A-Za-z0-9-]{32,80})$/, said: 'a key id or the ARN of a key (not an alias)' },
  gcp: { form: /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/, said: 'projects/…/locations/…/keyRings/…/cryptoKeys/…' },
  azure: { form: /^https?:\/\/[^/?#@]+\/keys\/[A-Za-z0-9-]+$/, said: 'the URL of a key without a version, https://….vault.azure.net/keys/…' },
  transit: { form: /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/, said: 'mount and name of a key, such as transit/gatehouse' },
};

/**
 * Judges the combination of settings. Refuses with a `Fault` of one line: both a key file and a key
 * service, parts without a provider, a key of another form, what a provider needs or has no use for.
 */
export function chooseRoot(config: VaultConfig): RootChoice {
  const kms = choose('GATEHOUSE_KMS', givenNow(config));
  const previousKms = choose('GATEHOUSE_KMS_PREVIOUS', givenBefore(config));
  const { kekFile, kekPreviousFile } = config;
  if (kekFile !== undefined && kms !== undefined) {
    throw new Fault('GATEHOUSE_KEK_FILE and GATEHOUSE_KMS_PROVIDER are both set: keep the one in use, the other is GATEHOUSE_KEK_PREVIOUS_FILE or GATEHOUSE_KMS_PREVIOUS_PROVIDER');
  }
  const previous = { file: kekPreviousFile, kms: previousKms };
  if (kms !== undefined) return { active: { kms }, previous };
  return { active: kekFile === undefined ? 'nothing' : { file: kekFile }, previous };
}

function givenNow(config: VaultConfig): GivenKms {
  const { kmsProvider, kmsKey, kmsRegion, kmsEndpoint, kmsCredentialsFile } = config;
  return { provider: kmsProvider, key: kmsKey, region: kmsRegion, endpoint: kmsEndpoint, credentialsFile: kmsCredentialsFile };
}

function givenBefore(config: VaultConfig): GivenKms {
  const { kmsPreviousProvider, kmsPreviousKey, kmsPreviousRegion, kmsPreviousEndpoint, kmsPreviousCredentialsFile } = config;
  return { provider: kmsPreviousProvider, key: kmsPreviousKey, region: kmsPreviousRegion, endpoint: kmsPreviousEndpoint, credentialsFile: kmsPreviousCredentialsFile };
}

function choose(prefix: string, given: GivenKms): KmsChoice | undefined {
  const { provider, key, credentialsFile } = given;
  if (provider === undefined) {
    const stray = Object.entries(given).find(([, value]) => value !== undefined);
    if (stray !== undefined) throw new Fault(`${nameOf(prefix, stray[0])} is set without ${prefix}_PROVIDER`);
    return undefined;
  }
  if (key === undefined) throw new Fault(`${prefix}_KEY is not set: ${provider} needs ${KEY_FORMS[provider].said}`);
  if (!KEY_FORMS[provider].form.test(key)) throw new Fault(`${prefix}_KEY must be ${KEY_FORMS[provider].said}`);
  if (credentialsFile === undefined) throw new Fault(`${prefix}_CREDENTIALS_FILE is not set`);
  return { provider, key, credentialsFile, region: regionOf(prefix, provider, given), endpoint: endpointOf(prefix, provider, given) };
}

function regionOf(prefix: string, provider: KmsProviderName, { key, region }: GivenKms): string | undefined {
  if (provider !== 'aws') {
    if (region !== undefined) throw new Fault(`${prefix}_REGION is for aws; ${provider} has none`);
    return undefined;
  }
  const told = key?.startsWith('arn:') === true ? key.split(':')[3] : region;
  if (told === undefined) throw new Fault(`${prefix}_REGION is not set, and the key is not an ARN that names one`);
  if (region !== undefined && region !== told) throw new Fault(`${prefix}_REGION is ${region}, but the key's ARN says ${told}`);
  return told;
}

function endpointOf(prefix: string, provider: KmsProviderName, { endpoint }: GivenKms): string | undefined {
  if (provider === 'transit' && endpoint === undefined) throw new Fault(`${prefix}_ENDPOINT is not set: transit needs the address of OpenBao or Vault`);
  if (provider === 'azure' && endpoint !== undefined) throw new Fault(`${prefix}_ENDPOINT is not for azure: the key's URL names the address`);
  return endpoint;
}

const nameOf = (prefix: string, member: string): string => `${prefix}_${member.replace(/[A-Z]/, (letter) => `_${letter}`).toUpperCase()}`;
