import { randomBytes } from 'node:crypto';
import type { FakeKms } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeyContext } from '../sealing/key-encryption-key.js';
import { BlobRefused } from '../sealing/secret-blob.js';
import { KeyProviderFailure, probeProvider, wrapChecked, type KeyProvider } from './key-provider.js';

/** One adapter with what stands behind it. */
export interface ProviderStage {
  provider: KeyProvider;
  /** The same kind of provider around another key. */
  other: KeyProvider;
  close(): Promise<void>;
}

/** A key service's adapter, and the fake it talks to. */
export interface KmsStage extends ProviderStage {
  fake: FakeKms;
  /** The same provider once more, with nothing remembered. */
  reopen(): KeyProvider;
  /** Replaces the content of the credentials file. */
  useCredentials(text: string): Promise<void>;
}

const context: KeyContext = { environment: 'production', purpose: 'session', keyId: 'key_0192', version: 3 };
const OTHER_CONTEXTS: KeyContext[] = [
  { ...context, environment: 'staging' },
  { ...context, purpose: 'digest' },
  { ...context, keyId: 'key_0193' },
  { ...context, version: 4 },
  { ...context, purpose: 'sessionkey', keyId: '_0192' },
];
const failure = (problem: string): object => expect.objectContaining({ name: 'KeyProviderFailure', problem });

/** What the vault relies on, whoever holds the key-encryption key. */
export function keyProviderConformance(name: string, open: () => Promise<ProviderStage>): void {
  describe(`${name} as key provider`, () => {
    let stage: ProviderStage;
    beforeAll(async () => {
      stage = await open();
    });
    afterAll(() => stage.close());

    it.each([32, 48, 138])('gives back a key of %i bytes', async (size) => {
      const key = randomBytes(size);
      const { blob } = await stage.provider.wrap(key, context);
      expect(blob.includes(key)).toBe(false);
      expect((await stage.provider.unwrap(blob, context)).equals(key)).toBe(true);
    });

    it('wraps the same key to another blob each time', async () => {
      const key = randomBytes(32);
      const blobs = await Promise.all([stage.provider.wrap(key, context), stage.provider.wrap(key, context)]);
      expect(blobs[0]!.blob.equals(blobs[1]!.blob)).toBe(false);
    });

    it('opens a blob in its own context only', async () => {
      const { blob } = await stage.provider.wrap(randomBytes(32), context);
      for (const other of OTHER_CONTEXTS) await expect(stage.provider.unwrap(blob, other)).rejects.toThrow(BlobRefused);
    });

    it('opens no blob with any one byte changed, and none that was cut', async () => {
      const { blob } = await stage.provider.wrap(randomBytes(32), context);
      for (let at = 0; at < blob.length; at++) {
        const altered = Buffer.from(blob);
        altered[at]! ^= 1 << at % 8;
        await expect(stage.provider.unwrap(altered, context)).rejects.toThrow();
      }
      for (const length of [0, 1, 4, 18, blob.length - 1]) await expect(stage.provider.unwrap(blob.subarray(0, length), context)).rejects.toThrow();
    }, 60_000);

    it('says that an altered ciphertext is no fault of the provider', async () => {
      const { blob } = await stage.provider.wrap(randomBytes(32), context);
      const altered = Buffer.from(blob);
      altered[blob.length - 5]! ^= 0x10;
      await expect(stage.provider.unwrap(altered, context)).rejects.toThrow(BlobRefused);
    });

    it('opens nothing of another key, and names each key by an id of its own', async () => {
      const { blob } = await stage.other.wrap(randomBytes(32), context);
      await expect(stage.provider.unwrap(blob, context)).rejects.toThrow();
      expect(stage.provider.id).toMatch(/^[a-z]+[:_]./);
    });

    it('is found to work by its probe', async () => {
      const version = await probeProvider(stage.provider, 'production');
      expect((await wrapChecked(stage.provider, randomBytes(32), context)).version).toBe(version);
    });
  });
}

/** What the vault relies on besides when the key is behind HTTP; `versions`: the provider tells its key's versions. */
export function kmsConformance(name: string, open: () => Promise<KmsStage>, versions: boolean): void {
  keyProviderConformance(name, open);

  describe(`${name} on its bad days`, () => {
    let stage: KmsStage;
    beforeAll(async () => {
      stage = await open();
    });
    afterAll(() => stage.close());
    const probe = (): Promise<string> => probeProvider(stage.provider, 'production');

    it.each([
      ['throttled', 'throttled'],
      ['failing', 'unreachable'],
      ['slow', 'timeout'],
    ] as const)('is said to be %s, and works again when that is over', async (trouble, problem) => {
      stage.fake.trouble = trouble;
      await expect(probe()).rejects.toEqual(failure(problem));
      stage.fake.trouble = 'none';
      await expect(probe()).resolves.toBeDefined();
    });

    it('is tried three times while it throttles, not for ever', async () => {
      const before = stage.fake.requests.length;
      stage.fake.trouble = 'throttled';
      await expect(probe()).rejects.toEqual(failure('throttled'));
      stage.fake.trouble = 'none';
      expect(stage.fake.requests.length - before).toBe(3);
    });

    it('is unreachable while nobody listens, and works again on the same address', async () => {
      await stage.fake.goAway();
      await expect(probe()).rejects.toEqual(failure('unreachable'));
      await stage.fake.comeBack();
      await expect(probe()).resolves.toBeDefined();
    });

    it('names a disabled key, and uses it again once it is enabled', async () => {
      const { blob } = await stage.provider.wrap(randomBytes(32), context);
      stage.fake.disable();
      await expect(probe()).rejects.toEqual(failure('key'));
      await expect(stage.provider.unwrap(blob, context)).rejects.toEqual(failure('key'));
      stage.fake.disable(false);
      await expect(stage.provider.unwrap(blob, context)).resolves.toHaveLength(32);
    });

    it('logs in again by itself when its session was ended', async () => {
      await probe();
      stage.fake.endSessions();
      await expect(probe()).resolves.toBeDefined();
    });

    it('refuses wrong credentials without telling them, and takes right ones from the same file', async () => {
      const fresh = stage.reopen();
      await stage.useCredentials(stage.fake.wrongCredentials);
      const refused: unknown = await probeProvider(fresh, 'production').catch((error: unknown) => error);
      expect(refused).toEqual(failure('credentials'));
      expect(String((refused as Error).message)).not.toMatch(/wrong|nobody|fake/);
      await stage.useCredentials('{"nothing": 1}');
      await expect(probeProvider(fresh, 'production')).rejects.toBeInstanceOf(KeyProviderFailure);
      await stage.useCredentials(stage.fake.credentials);
      await expect(probeProvider(fresh, 'production')).resolves.toBeDefined();
    });

    it('still opens what an older version of its key wrapped, and says which version wraps now', async () => {
      const old = await stage.provider.wrap(randomBytes(32), context);
      stage.fake.rotate();
      await expect(stage.provider.unwrap(old.blob, context)).resolves.toHaveLength(32);
      expect((await probe()) !== old.version).toBe(versions);
    });

    it('opens nothing of a version that was destroyed', async () => {
      const old = await stage.provider.wrap(randomBytes(32), context);
      stage.fake.rotate();
      stage.fake.destroyOldVersions();
      await expect(stage.provider.unwrap(old.blob, context)).rejects.toThrow();
      await expect(probe()).resolves.toBeDefined();
    });
  });
}
