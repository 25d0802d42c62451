import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { KeyEncryptionKey, type KeyContext } from './key-encryption-key.js';
import { BlobRefused } from './secret-blob.js';

interface Vector {
  name: string;
  context: KeyContext;
  kek: string;
  nonce: string;
  key: string;
  kekId: string;
  wrapped: string;
}

const vectors = (JSON.parse(readFileSync(new URL('./test-vectors.json', import.meta.url), 'utf8')) as { keys: Vector[] }).keys;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const context = vectors[0]!.context;

describe('key-encryption key', () => {
  it.each(vectors)('wraps to exactly the bytes of the fixed vector: $name', (vector) => {
    const kek = new KeyEncryptionKey(hex(vector.kek));
    expect(kek.id).toBe(vector.kekId);
    expect(kek.wrap(hex(vector.key), vector.context, hex(vector.nonce)).toString('hex')).toBe(vector.wrapped);
    expect(kek.unwrap(hex(vector.wrapped), vector.context).toString('hex')).toBe(vector.key);
  });

  it('refuses a wrapped key with any one byte changed or missing', () => {
    const kek = new KeyEncryptionKey(randomBytes(32));
    const wrapped = kek.wrap(randomBytes(32), context);
    for (let at = 0; at < wrapped.length; at++) {
      const altered = Buffer.from(wrapped);
      altered[at]! ^= 0x40;
      expect(() => kek.unwrap(altered, context)).toThrow(BlobRefused);
      expect(() => kek.unwrap(wrapped.subarray(0, at), context)).toThrow(BlobRefused);
    }
  });

  it('opens a key in its own context only', () => {
    const kek = new KeyEncryptionKey(randomBytes(32));
    const wrapped = kek.wrap(randomBytes(32), context);
    const others = [
      { ...context, environment: 'staging' },
      { ...context, purpose: 'session' },
      { ...context, keyId: `${context.keyId}0` },
      { ...context, version: context.version + 1 },
    ];
    for (const other of others) expect(() => kek.unwrap(wrapped, other)).toThrow(BlobRefused);
  });

  it('wipes the bytes it was made from and says nothing when printed', () => {
    const bytes = randomBytes(32);
    const text = bytes.toString('hex');
    const kek = new KeyEncryptionKey(bytes);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(JSON.stringify(kek)).not.toContain(text);
  });
});
