import { describe, expect, it } from '@jest/globals';
import { newSealingKeyPair, openSealed, rawPublicKey, sealTo } from './sealed-box.js';
import { createPublicKey } from 'node:crypto';

const pair = newSealingKeyPair();
const PLAIN = Buffer.from('a credential');

describe('a sealed box', () => {
  const box = sealTo(pair.publicKey, PLAIN, 'vault.lease:x');

  it('opens for whom it was sealed to, in the same context', () => {
    expect(openSealed(pair, box, 'vault.lease:x')).toEqual(PLAIN);
    expect(openSealed(pair, sealTo(pair.publicKey, Buffer.alloc(0), ''), '')).toEqual(Buffer.alloc(0));
  });

  it('opens for nobody else and in no other context', () => {
    expect(() => openSealed(newSealingKeyPair(), box, 'vault.lease:x')).toThrow();
    expect(() => openSealed(pair, box, 'vault.lease:y')).toThrow();
    expect(() => openSealed({ ...newSealingKeyPair(), publicKey: pair.publicKey }, box, 'vault.lease:x')).toThrow();
  });

  it('does not open when any byte of it was changed, or is missing', () => {
    const bytes = Buffer.from(box, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => openSealed(pair, changed.toString('base64url'), 'vault.lease:x')).toThrow();
      expect(() => openSealed(pair, bytes.subarray(0, at).toString('base64url'), 'vault.lease:x')).toThrow();
    }
  });

  it('is another one each time, and shows neither content nor recipient', () => {
    const bytes = Buffer.from(box, 'base64url');
    expect(sealTo(pair.publicKey, PLAIN, 'vault.lease:x')).not.toBe(box);
    expect([bytes.includes(PLAIN), bytes.includes(Buffer.from(pair.publicKey, 'base64url'))]).toEqual([false, false]);
  });

  it('is not sealed to what is no key', () => {
    for (const key of ['', 'AAAA', 'A'.repeat(44)]) expect(() => sealTo(key, PLAIN, '')).toThrow('32 bytes');
    // A point of low order would make the shared secret known to everybody (RFC 7748 section 6.1).
    expect(() => sealTo('A'.repeat(43), PLAIN, '')).toThrow();
  });

  it('names its pair by 32 raw bytes', () => {
    expect(rawPublicKey(createPublicKey(pair.privateKey))).toBe(pair.publicKey);
    expect(Buffer.from(pair.publicKey, 'base64url')).toHaveLength(32);
  });
});
