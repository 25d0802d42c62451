import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyedDigest } from './keyed-digest.js';

const hmac = (key: Uint8Array, data: Buffer | string): string => createHmac('sha256', key).update(data).digest('base64url');

describe('a keyed digest', () => {
  it('is the HMAC-SHA256 of any text or bytes under any key of at most a block', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(key, fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }), (bytes, text, data) => {
        const digest = new KeyedDigest(bytes);
        expect(digest.of(text)).toBe(hmac(bytes, text));
        expect(digest.of(Buffer.from(data))).toBe(hmac(bytes, Buffer.from(data)));
      }),
    );
  });

  it('is the same for input of every length around what fits, one after the other', () => {
    const key = Buffer.alloc(32, 7);
    const digest = new KeyedDigest(key);
    for (const length of [100_000, 0, 55, 56, 64, 10_901, 10_902, 32_703, 32_704, 32_705, 3]) {
      expect(digest.of(Buffer.alloc(length, 1))).toBe(hmac(key, Buffer.alloc(length, 1)));
      expect(digest.of('ü'.repeat(length))).toBe(hmac(key, 'ü'.repeat(length)));
      expect(digest.of('€'.repeat(length))).toBe(hmac(key, '€'.repeat(length)));
    }
  });

  it('does not depend on the bytes it was made from any more', () => {
    const key = Buffer.alloc(32, 7);
    const digest = new KeyedDigest(key);
    key.fill(0);
    expect(digest.of('x')).toBe(hmac(Buffer.alloc(32, 7), 'x'));
  });
});
