import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AeadKey } from './aead-key.js';

const key = new AeadKey('key_1', randomBytes(32));
const PLAIN = Buffer.from('what is sealed');

describe('AeadKey', () => {
  const sealed = key.seal(PLAIN, 'a context');

  it('opens what it sealed, in the same context', () => {
    expect(key.open(sealed, 'a context')).toEqual(PLAIN);
    expect(key.open(key.seal(Buffer.alloc(0), ''), '')).toEqual(Buffer.alloc(0));
  });

  it('opens nothing else, and never says why', () => {
    expect(key.open(sealed, 'another context')).toBeUndefined();
    expect(key.open(sealed, '')).toBeUndefined();
    expect(new AeadKey('key_1', randomBytes(32)).open(sealed, 'a context')).toBeUndefined();
    for (const text of ['', 'A', 'no base64 !', sealed.slice(4), sealed.slice(0, -4), `${sealed}=`, `${sealed}AAAA`, ` ${sealed}`]) expect(key.open(text, 'a context')).toBeUndefined();
  });

  it('opens nothing in which a bit was changed', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(key.open(changed.toString('base64url'), 'a context')).toBeUndefined();
    }
  });

  it('seals the same twice into different texts', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => key.seal(PLAIN, 'a context'))).size).toBe(1_000);
  });

  it('keeps working when the bytes it was made from are wiped, and takes 32 of them', () => {
    const bytes = randomBytes(32);
    const own = new AeadKey('key_2', bytes);
    const text = own.seal(PLAIN, '');
    bytes.fill(0);
    expect(own.open(text, '')).toEqual(PLAIN);
    for (const length of [0, 16, 31, 33]) expect(() => new AeadKey('key_3', randomBytes(length))).toThrow('32 bytes');
  });
});
