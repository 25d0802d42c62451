import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outbound } from '@gatehouse/outbound';
import { startAwsKms, startAzureKeyVault, startGcpKms, startTransit, type FakeKms } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';
import { KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import { AwsKms, type KmsSettings } from './aws-kms.js';
import { signedHeaders } from './aws-signature.js';
import { AzureKeyVault } from './azure-key-vault.js';
import { GcpKms } from './gcp-kms.js';
import { KeyFileProvider } from './key-file-provider.js';
import { keyProviderConformance, kmsConformance, type KmsStage } from './key-provider.conformance.js';
import type { KeyProvider } from './key-provider.js';
import { Renewable } from './renewable.js';
import { Transit } from './transit.js';

type Make = (settings: KmsSettings, fake: FakeKms) => KeyProvider;

const TIMEOUT_MS = 400;

async function kmsStage(start: () => Promise<FakeKms>, make: Make): Promise<KmsStage> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-kms-'));
  const [fake, otherFake] = await Promise.all([start(), start()]);
  const outbound = new Outbound();
  const open = async (of: FakeKms, name: string): Promise<[KeyProvider, string]> => {
    const credentialsFile = join(folder, name);
    await writeFile(credentialsFile, of.credentials, { mode: 0o600 });
    return [make({ outbound, key: of.key, credentialsFile, timeoutMs: TIMEOUT_MS }, of), credentialsFile];
  };
  const [[provider, credentialsFile], [other]] = await Promise.all([open(fake, 'one'), open(otherFake, 'two')]);
  return {
    provider,
    other,
    fake,
    reopen: () => make({ outbound, key: fake.key, credentialsFile, timeoutMs: TIMEOUT_MS }, fake),
    useCredentials: (text) => writeFile(credentialsFile, text),
    close: async () => {
      await outbound.close();
      await Promise.all([fake.close(), otherFake.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const aws: Make = (settings, fake) => new AwsKms({ ...settings, endpoint: fake.url, region: 'eu-central-1' });
const gcp: Make = (settings, fake) => new GcpKms({ ...settings, endpoint: fake.url });
const azure: Make = (settings) => new AzureKeyVault(settings);
const transit: Make = (settings, fake) => new Transit({ ...settings, endpoint: fake.url });

keyProviderConformance('a key file', async () => {
  const [provider, other] = [randomBytes(32), randomBytes(32)].map((bytes) => new KeyFileProvider(new KeyEncryptionKey(bytes)));
  return { provider: provider!, other: other!, close: async () => undefined };
});
kmsConformance('AWS KMS', () => kmsStage(startAwsKms, aws), false);
kmsConformance('Google Cloud KMS', () => kmsStage(startGcpKms, gcp), true);
kmsConformance('Azure Key Vault', () => kmsStage(startAzureKeyVault, azure), true);
kmsConformance('transit with an AppRole', () => kmsStage(() => startTransit('approle'), transit), true);
kmsConformance('transit with a token', () => kmsStage(() => startTransit('token'), transit), true);

describe('what providers are told', () => {
  it('shows AWS the environment, the purpose and the key’s id in the encryption context', async () => {
    const stage = await kmsStage(startAwsKms, aws);
    await stage.provider.wrap(randomBytes(32), { environment: 'production', purpose: 'session', keyId: 'key_1', version: 2 });
    const { EncryptionContext } = JSON.parse(stage.fake.requests[0]!.body) as { EncryptionContext: object };
    await stage.close();
    expect(EncryptionContext).toEqual({ app: 'gatehouse', environment: 'production', purpose: 'session', keyId: 'key_1', version: '2' });
  });

  it('refuses a credentials file that others can read, naming the file', async () => {
    const stage = await kmsStage(startTransit, (settings, fake) => transit({ ...settings, credentialsFile: `${settings.credentialsFile}.open` }, fake));
    const error: unknown = await stage.provider.wrap(randomBytes(32), { environment: 'e', purpose: 'p', keyId: 'k', version: 1 }).catch((caught: unknown) => caught);
    expect((error as Error).message).toMatch(/GATEHOUSE_KMS_CREDENTIALS_FILE .*one\.open.*ENOENT/);
    await stage.close();
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-kms-'));
    const path = join(folder, 'open');
    await writeFile(path, 'hvs.token');
    await chmod(path, 0o644);
    const outbound = new Outbound();
    const provider = new Transit({ outbound, key: 'transit/gatehouse', endpoint: 'http://127.0.0.1:9', credentialsFile: path });
    await expect(provider.unwrap(randomBytes(60), { environment: 'e', purpose: 'p', keyId: 'k', version: 1 })).rejects.toThrow('others can read');
    await outbound.close();
    await rm(folder, { recursive: true, force: true });
  });
});

describe('Signature Version 4', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const scope = { region: 'us-east-1', service: 'service' };
  const request = { url: 'https://example.amazonaws.com/', headers: {}, body: '', atMs: Date.UTC(2015, 7, 30, 12, 36) };
  const signatureOf = (headers: Record<string, string>): string => /Signature=(\w+)$/.exec(headers['authorization']!)![1]!;

  it.each([
    ['post-vanilla', {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    ['post-x-www-form-urlencoded', { 'content-type': 'application/x-www-form-urlencoded' }, 'Param1=value1', 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a'],
  ])('is what the published suite expects: %s', (_name, headers, body, expected) => {
    expect(signatureOf(signedHeaders({ ...request, headers, body }, credentials, scope))).toBe(expected);
  });

  it('covers the token of temporary credentials', () => {
    const signed = signedHeaders(request, { ...credentials, sessionToken: 'token' }, scope);
    expect(signed['x-amz-security-token']).toBe('token');
    expect(signed['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
  });
});

describe('a renewable credential', () => {
  it('is fetched once for all who wait, kept until shortly before its end, and again when dropped', async () => {
    let fetched = 0;
    let now = 0;
    const token = new Renewable(async () => ({ value: ++fetched, validMs: 60_000 }), { now: () => now, monotonicMs: () => now });
    expect(await Promise.all([token.get(), token.get()])).toEqual([1, 1]);
    now = 29_999;
    expect(await token.get()).toBe(1);
    now = 30_001;
    expect(await token.get()).toBe(2);
    token.forget();
    expect(await token.get()).toBe(3);
  });

  it('is asked for again after a fetch that failed', async () => {
    const answers = [Promise.reject(new Error('down')), Promise.resolve({ value: 'yes', validMs: 60_000 })];
    const token = new Renewable(() => answers.shift()!);
    await expect(token.get()).rejects.toThrow('down');
    expect(await token.get()).toBe('yes');
  });
});
