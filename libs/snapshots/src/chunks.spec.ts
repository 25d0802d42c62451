import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { chunksOf } from './chunks.js';
import { isGenuine } from './genuine.js';

describe('the pieces of a snapshot', () => {
  it.each(['', 'a', 'abcdef', 'abcdefg', '🦊🦊🦊🦊', 'a🦊b🦊c🦊', 'ab🦊'])('join to the text and tear no character apart: %s', (text) => {
    const chunks = chunksOf(text, 3);
    expect(chunks.join('')).toBe(text);
    expect(chunks.every((chunk) => Buffer.from(chunk).toString() === chunk)).toBe(true);
    expect(chunks.every((chunk) => chunk.length > 0 && chunk.length <= 3)).toBe(true);
  });
});

describe('isGenuine', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const text = '{"epoch":"e","version":1}';
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url');
  const keys = new Map([['k1', publicKey]]);

  it('says yes to the text, key and signature that belong together', () => {
    expect(isGenuine({ text, keyId: 'k1', signature }, keys)).toBe(true);
  });

  it.each([
    ['another text', { text: `${text} `, keyId: 'k1', signature }],
    ['an unknown key', { text, keyId: 'k2', signature }],
    ['an empty key id', { text, keyId: '', signature }],
    ['no signature', { text, keyId: 'k1', signature: '' }],
    ['a stripped signature', { text, keyId: 'k1', signature: signature.slice(0, 20) }],
  ])('says no to %s', (_what, signed) => {
    expect(isGenuine(signed, keys)).toBe(false);
  });
});
