import { generateKeyPairSync } from 'node:crypto';
import type { JsonObject } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { publicJwks } from './client-jwks.js';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const weakRsa = generateKeyPairSync('rsa', { modulusLength: 2_048, publicExponent: 3 });
const open = (key: { publicKey: import('node:crypto').KeyObject }): JsonObject => key.publicKey.export({ format: 'jwk' }) as JsonObject;
const closed = (key: { privateKey: import('node:crypto').KeyObject }): JsonObject => key.privateKey.export({ format: 'jwk' }) as JsonObject;

describe('the keys of a client', () => {
  it('are P-256, Ed25519 and RSA, without members that say nothing', () => {
    const { keys } = publicJwks({ keys: [{ ...open(ec), kid: 'a', x5c: ['junk'], alg: 'ES256', key_ops: ['verify'] }, open(ed), { ...open(rsa), kid: 'c', use: 'sig' }] });
    expect(keys).toEqual([{ ...open(ec), kid: 'a', use: 'sig' }, { ...open(ed), use: 'sig' }, { ...open(rsa), kid: 'c', use: 'sig' }]);
  });

  it.each<[string, JsonObject]>([
    ['a private EC key', closed(ec)],
    ['a private Ed25519 key', closed(ed)],
    ['a private RSA key', closed(rsa)],
    ['an RSA key with one private member', { ...open(rsa), dp: 'AQAB' }],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['another curve', open(p384)],
    ['a key for agreement', open(x25519)],
    ['a short RSA key', open(shortRsa)],
    ['an RSA key with a small exponent', open(weakRsa)],
    ['a key for encryption', { ...open(ec), use: 'enc' }],
    ['a point that is not on the curve', { ...open(ec), y: 'A'.repeat(43) }],
    ['nothing', {}],
    ['a kid that is no text', { ...open(ec), kid: 7 }],
  ])('are not %s', (_name, key) => {
    expect(() => publicJwks({ keys: [key] })).toThrow(expect.objectContaining({ code: 'bad_request', details: expect.objectContaining({ field: 'auth.jwks' }) }));
  });

  it('are not two of one name', () => {
    const both = [ec, ed].map((pair) => ({ ...open(pair), kid: 'same' }));
    expect(() => publicJwks({ keys: both })).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});
