import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { secretAssociatedData, type SecretContext } from './associated-data.js';
import { BlobRefused, keyVersionOf, openSecret, sealSecret, type VersionedKey } from './secret-blob.js';

interface Vector {
  name: string;
  context: SecretContext;
  keyVersion: number;
  key: string;
  dataKey: string;
  wrapNonce: string;
  nonce: string;
  plaintext: string;
  associatedData: string;
  blob: string;
}

const vectors = (JSON.parse(readFileSync(new URL('./test-vectors.json', import.meta.url), 'utf8')) as { secrets: Vector[] }).secrets;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const keyOf = ({ keyVersion, key }: Vector): VersionedKey => ({ version: keyVersion, key: createSecretKey(hex(key)) });

const key: VersionedKey = { version: 1, key: createSecretKey(randomBytes(32)) };
const context = vectors[0]!.context;

describe('secret blob', () => {
  it.each(vectors)('has exactly the bytes of the fixed vector: $name', (vector) => {
    const random = { dataKey: hex(vector.dataKey), wrapNonce: hex(vector.wrapNonce), nonce: hex(vector.nonce) };
    expect(secretAssociatedData('GHV1', vector.context, vector.keyVersion).toString('hex')).toBe(vector.associatedData);
    expect(sealSecret(keyOf(vector), vector.context, Buffer.from(vector.plaintext), random).toString('hex')).toBe(vector.blob);
  });

  it.each(vectors)('opens the fixed vector: $name', (vector) => {
    const blob = hex(vector.blob);
    expect(keyVersionOf(blob)).toBe(vector.keyVersion);
    expect(openSecret(keyOf(vector), vector.context, blob).toString()).toBe(vector.plaintext);
  });

  it('refuses a blob with any one byte changed, always alike (V-01)', () => {
    const blob = sealSecret(key, context, Buffer.from('canary'));
    for (let at = 0; at < blob.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const altered = Buffer.from(blob);
        altered[at]! ^= flip;
        expect(() => openSecret(key, context, altered)).toThrow(new BlobRefused());
      }
    }
  });

  it('refuses every shortened and every lengthened blob', () => {
    const blob = sealSecret(key, context, Buffer.from('canary'));
    for (let length = 0; length < blob.length; length++) {
      expect(() => openSecret(key, context, blob.subarray(0, length))).toThrow(BlobRefused);
    }
    expect(() => openSecret(key, context, Buffer.concat([blob, Buffer.of(0)]))).toThrow(BlobRefused);
  });

  it.each(Object.keys(context) as (keyof SecretContext)[])('refuses a blob moved to another %s (V-02)', (member) => {
    const blob = sealSecret(key, context, Buffer.from('canary'));
    const other = member === 'secretVersion' ? context.secretVersion + 1 : `${context[member]}x`;
    const moved = { ...context, [member]: member === 'expiresAt' ? 1_790_000_000_000 : other };
    expect(() => openSecret(key, moved, blob)).toThrow(BlobRefused);
  });

  it('refuses a blob whose end was taken away, moved or added, by a thousandth of a second', () => {
    const end = 1_790_000_000_000;
    const ended = sealSecret(key, { ...context, expiresAt: end }, Buffer.from('canary'));
    for (const expiresAt of [null, end + 1, end - 1, end * 10, 0]) expect(() => openSecret(key, { ...context, expiresAt }, ended)).toThrow(BlobRefused);
    const endless = sealSecret(key, context, Buffer.from('canary'));
    for (const expiresAt of [end, 0]) expect(() => openSecret(key, { ...context, expiresAt }, endless)).toThrow(BlobRefused);
  });

  it('does not confuse contexts whose members join to the same text', () => {
    const blob = sealSecret(key, { ...context, owner: 'ab', secretId: 'c' }, Buffer.from('canary'));
    expect(() => openSecret(key, { ...context, owner: 'a', secretId: 'bc' }, blob)).toThrow(BlobRefused);
  });

  it('refuses another key of the same version, and the same key as another version', () => {
    const blob = sealSecret(key, context, Buffer.from('canary'));
    expect(() => openSecret({ version: 1, key: createSecretKey(randomBytes(32)) }, context, blob)).toThrow(BlobRefused);
    expect(() => openSecret({ ...key, version: 2 }, context, blob)).toThrow(BlobRefused);
  });

  it('refuses the body of another blob under this one’s wrapped key', () => {
    const [one, two] = [sealSecret(key, context, Buffer.from('canary')), sealSecret(key, context, Buffer.from('canarz'))];
    const spliced = Buffer.concat([one.subarray(0, 73), two.subarray(73)]);
    expect(() => openSecret(key, context, spliced)).toThrow(BlobRefused);
  });

  it('never repeats a data key or a nonce (V-03)', () => {
    const seen = new Set<string>();
    for (let count = 0; count < 2_000; count++) {
      const blob = sealSecret(key, context, Buffer.from('canary'));
      seen.add(blob.toString('hex', 13, 25)).add(blob.toString('hex', 25, 73)).add(blob.toString('hex', 73, 85));
    }
    expect(seen.size).toBe(6_000);
  });

  it('wipes the data key it was given', () => {
    const random = { dataKey: randomBytes(32), wrapNonce: randomBytes(12), nonce: randomBytes(12) };
    sealSecret(key, context, Buffer.from('canary'), random);
    expect(random.dataKey.every((byte) => byte === 0)).toBe(true);
  });
});
