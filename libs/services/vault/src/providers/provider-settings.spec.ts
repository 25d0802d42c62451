import { describe, expect, it } from '@jest/globals';
import type { VaultConfig } from '../vault-config.js';
import { chooseRoot } from './provider-settings.js';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const choose = (config: Partial<VaultConfig>): unknown => chooseRoot({ environment: 'production', ...config });
const aws = { kmsProvider: 'aws', kmsKey: ARN, kmsCredentialsFile: '/c' } as const;
const transit = { kmsProvider: 'transit', kmsKey: 'transit/gatehouse', kmsEndpoint: 'https://bao:8200', kmsCredentialsFile: '/c' } as const;

describe('the settings of the key-encryption key', () => {
  it('name nothing, a key file, or a key service', () => {
    expect(choose({})).toEqual({ active: 'nothing', previous: {} });
    expect(choose({ kekFile: '/k' })).toMatchObject({ active: { file: '/k' } });
    expect(choose(aws)).toMatchObject({ active: { kms: { provider: 'aws', key: ARN, region: 'eu-central-1' } } });
    expect(choose(transit)).toMatchObject({ active: { kms: { endpoint: 'https://bao:8200' } } });
  });

  it('name what was in use before, of either kind', () => {
    expect(choose({ kekFile: '/new', kekPreviousFile: '/old' })).toMatchObject({ active: { file: '/new' }, previous: { file: '/old' } });
    expect(choose({ ...aws, kekPreviousFile: '/old' })).toMatchObject({ active: { kms: {} }, previous: { file: '/old' } });
    const back = { kekFile: '/new', kmsPreviousProvider: 'aws', kmsPreviousKey: ARN, kmsPreviousCredentialsFile: '/c' } as const;
    expect(choose(back)).toMatchObject({ active: { file: '/new' }, previous: { kms: { provider: 'aws', region: 'eu-central-1' } } });
  });

  it.each<[string, Partial<VaultConfig>, RegExp]>([
    ['a key file and a key service', { ...aws, kekFile: '/k' }, /^GATEHOUSE_KEK_FILE and GATEHOUSE_KMS_PROVIDER are both set: /],
    ['a key without a provider', { kmsKey: ARN }, /^GATEHOUSE_KMS_KEY is set without GATEHOUSE_KMS_PROVIDER$/],
    ['credentials without a provider', { kmsCredentialsFile: '/c' }, /^GATEHOUSE_KMS_CREDENTIALS_FILE is set without GATEHOUSE_KMS_PROVIDER$/],
    ['a former endpoint without its provider', { kmsPreviousEndpoint: 'https://x' }, /^GATEHOUSE_KMS_PREVIOUS_ENDPOINT is set without GATEHOUSE_KMS_PREVIOUS_PROVIDER$/],
    ['a provider without a key', { kmsProvider: 'gcp' }, /^GATEHOUSE_KMS_KEY is not set: gcp needs projects/],
    ['an alias', { ...aws, kmsKey: 'alias/gatehouse' }, /^GATEHOUSE_KMS_KEY must be a key id or the ARN/],
    ['a key of another provider', { ...aws, kmsProvider: 'gcp' }, /^GATEHOUSE_KMS_KEY must be projects/],
    ['a version in the key of azure', { kmsProvider: 'azure', kmsKey: 'https://v.vault.azure.net/keys/k/0123', kmsCredentialsFile: '/c' }, /without a version/],
    ['no credentials', { kmsProvider: 'aws', kmsKey: ARN }, /^GATEHOUSE_KMS_CREDENTIALS_FILE is not set$/],
    ['no region', { ...aws, kmsKey: '1234abcd-12ab-34cd-56ef-1234567890ab' }, /^GATEHOUSE_KMS_REGION is not set/],
    ['a region that is not the key’s', { ...aws, kmsRegion: 'us-east-1' }, /^GATEHOUSE_KMS_REGION is us-east-1, but/],
    ['a region for transit', { ...transit, kmsRegion: 'eu' }, /^GATEHOUSE_KMS_REGION is for aws; transit has none$/],
    ['transit without an address', { ...transit, kmsEndpoint: undefined }, /^GATEHOUSE_KMS_ENDPOINT is not set: transit needs/],
    ['an address for azure', { kmsProvider: 'azure', kmsKey: 'https://v.vault.azure.net/keys/k', kmsCredentialsFile: '/c', kmsEndpoint: 'https://x' }, /^GATEHOUSE_KMS_ENDPOINT is not for azure/],
  ])('are refused in one line when they are %s', (_name, config, line) => {
    expect(() => choose(config)).toThrow(line);
  });
});
